import type { MorphableModel } from '@facekit/morphable'
import ndarray from 'ndarray'
import { BaseModelFile } from './base-model-file.js'
import { composedAlbedo, grey, storedAlbedo } from './read-albedo.js'
import { applyStencils, readStencils } from './stencils.js'

/** Unpacks the base model from the bytes of its file: subdivides the bases and puts the parts together. */
export function readBaseModel(bytes: Uint8Array): MorphableModel {
  const file = new BaseModelFile(bytes)
  const mean = file.floats('mean')
  const vertexCount = mean.length / 3
  const stencils = readStencils(file)
  const regionLists = file.lists('regions')
  const regions: Record<string, Int32Array> = Object.fromEntries(
    file.names('region_names').map((name, i) => [name, regionLists[i]]),
  )
  const eyeballs = file.indices('eyeballs')
  const identity = file.fields('identity')
  const expression = file.fields('expression')
  const diffuseMean = file.floats('diffuse_mean')
  // Expressions move the eyeballs only where the gaze turns; skin tones never colour them.
  const skinEnd = eyeballs[0]
  const expressionField = applyStencils(stencils, expression.values, expression.count, skinEnd)
  const gaze = file.fields('gaze')
  file.indices('gaze_modes').forEach((mode, g) => {
    eyeballs.forEach((vertex, e) => {
      for (let c = 0; c < 3; c++) {
        expressionField[(mode * vertexCount + vertex) * 3 + c] =
          gaze.values[(g * eyeballs.length + e) * 3 + c]
      }
    })
  })

  const { diffuse, specular } = file.has('diffuse_modes')
    ? storedAlbedo(file)
    : composedAlbedo(file, { stencils, diffuseMean, skinEnd, innerMouth: regions.innerMouth })
  const albedoCount = diffuse.length / vertexCount / 3

  return {
    name: file.text('name'),
    license: file.text('license'),
    origin: file.text('origin'),
    vertexCount,
    triangles: file.indices('triangles'),
    innerMouthTriangles: file.indices('inner_mouth_triangles'),
    landmarks: file.indices('landmarks'),
    // Files of before the dense landmarks have none.
    ...(file.has('dense_points') && {
      denseLandmarks: Int32Array.from([...file.indices('landmarks'), ...file.indices('dense_points')]),
      denseMirror: file.indices('dense_mirror'),
    }),
    jawContours: file.lists('jaw_contours'),
    uv: ndarray(file.floats('uv'), [vertexCount, 2]),
    regions,
    shape: {
      mean: ndarray(mean, [vertexCount, 3]),
      identity: ndarray(applyStencils(stencils, identity.values, identity.count), [
        identity.count,
        vertexCount,
        3,
      ]),
      expression: ndarray(expressionField, [expression.count, vertexCount, 3]),
      expressionNames: file.names('expression_names'),
      expressionRange: [0, 1],
    },
    albedo: {
      diffuseMean: ndarray(diffuseMean, [vertexCount, 3]),
      diffuse: ndarray(diffuse, [albedoCount, vertexCount, 3]),
      specularMean: ndarray(grey(file.floats('specular_mean')), [vertexCount, 3]),
      specular: ndarray(specular, [albedoCount, vertexCount, 3]),
    },
    layout: { identity: identity.count, expression: expression.count, albedo: albedoCount },
  }
}
