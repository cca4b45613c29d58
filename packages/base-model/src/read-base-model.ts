import type { MorphableModel } from '@facekit/morphable'
import ndarray from 'ndarray'
import { BaseModelFile } from './base-model-file.js'
import { applyStencils, readStencils } from './stencils.js'

/** Modes that are amounts of masks: `[P, N, width]`. With `base`, the amounts are shares of it. */
function paint(file: BaseModelFile, name: string, width: number, base?: Float32Array): Float32Array {
  const masks = file.tensor('masks')
  const amounts = file.tensor(name)
  const [maskCount, vertexCount] = masks.shape
  const result = new Float32Array(amounts.shape[0] * vertexCount * width)
  for (let p = 0; p < amounts.shape[0]; p++) {
    for (let m = 0; m < maskCount; m++) {
      for (let c = 0; c < width; c++) {
        const amount = amounts.data[(p * maskCount + m) * width + c] / 255
        if (amount === 0) continue
        for (let i = 0; i < vertexCount; i++) {
          const factor = base ? base[i * width + c] : 1
          result[(p * vertexCount + i) * width + c] += amount * factor * masks.data[m * vertexCount + i]
        }
      }
    }
  }
  return result
}

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
  const diffusePainted = paint(file, 'diffuse_paint', 3)
  paint(file, 'diffuse_share', 3, diffuseMean).forEach((value, i) => (diffusePainted[i] += value))
  const specularPainted = paint(file, 'specular_paint', 1)
  const paintedCount = diffusePainted.length / vertexCount / 3
  const smooth = file.has('diffuse_smooth') ? file.fields('diffuse_smooth') : undefined
  const learned = file.has('diffuse_learned') ? file.fields('diffuse_learned') : undefined
  const learnedStart = paintedCount + (smooth?.count ?? 0)
  const albedoCount = learnedStart + (learned?.count ?? 0)

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

  const diffuse = new Float32Array(albedoCount * vertexCount * 3)
  diffuse.set(diffusePainted)
  if (smooth) {
    diffuse.set(applyStencils(stencils, smooth.values, smooth.count, skinEnd), diffusePainted.length)
    // The smooth modes are of skin: they end at the lips.
    for (let k = paintedCount; k < learnedStart; k++) {
      for (const i of regions.innerMouth ?? [])
        diffuse.fill(0, (k * vertexCount + i) * 3, (k * vertexCount + i + 1) * 3)
    }
  }
  const grey = (values: Float32Array) =>
    Float32Array.from({ length: values.length * 3 }, (_, i) => values[Math.floor(i / 3)])
  const specular = new Float32Array(diffuse.length)
  specular.set(grey(specularPainted))
  if (learned) {
    const width = learned.values.length / learned.count
    for (let k = 0; k < learned.count; k++) {
      diffuse.set(learned.values.subarray(k * width, (k + 1) * width), (learnedStart + k) * vertexCount * 3)
    }
    const scalars = file.fields('specular_learned')
    specular.set(
      applyStencils(stencils, scalars.values, scalars.count, width / 3),
      learnedStart * vertexCount * 3,
    )
  }

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
