import type { MorphableModel } from '@facekit/morphable'
import { sphericalHarmonicsAt } from '@facekit/illumination'
import type { Tensor } from '@tensorflow/tfjs-core'
import { denseNumbers, type CropTensors } from './stack-crops.js'
import { eyePixels, eyeWhites } from './eye-whites.js'
import { estimateLight, type LightEstimate, type ShadedPoints } from './estimate-light.js'
import type { Color } from './tone-prior.js'

/** Every n-th pixel is taken, in both directions. */
const SPACING = 3

/** Where a rendering shows which part of the surface; see `FaceRendering`. */
export interface SeenSurface {
  /** `[B, S, S]` */
  triangleIds: Tensor
  /** `[B, S, S, 3]` */
  barycentrics: Tensor
  /** `[B, N, 3]` world space, mm. */
  vertices: Tensor
  /** `[B, N, 3]` world space, unit length. */
  normals: Tensor
  /** Where the camera is on the z axis, mm. */
  cameraDistance: number
}

/** Parts of a face whose shine is not that of skin. */
const NOT_SKIN = ['eyeLeft', 'eyeRight', 'lips', 'brows', 'lids'] as const

/** Estimates light and albedo of one picture of the batch from where the fitted surface is seen in it.
 *
 * @param surface - the fitted geometry over the crops
 * @param index - which picture
 */
export async function initialLight(
  model: MorphableModel,
  surface: SeenSurface,
  crops: CropTensors,
  index: number,
): Promise<LightEstimate> {
  const { size } = crops
  const [allIds, allWeights, positions, normals, picture, faceRegion, skin] = await Promise.all([
    surface.triangleIds.data(),
    surface.barycentrics.data(),
    surface.vertices.data(),
    surface.normals.data(),
    crops.inputImage.data(),
    crops.faceRegion.data(),
    crops.skinProbability.data(),
  ])
  const first = index * size * size
  const ids = allIds.subarray(first, first + size * size)
  const barycentrics = allWeights.subarray(3 * first)
  const linear = (pixel: number, c: number) => picture[3 * (first + pixel) + c] ** 2.2
  const triangleCount = model.triangles.length / 3
  const mix = (pixels: readonly number[], source: ArrayLike<number>, offset: number, width = 3) => {
    const result = new Float32Array(pixels.length * width)
    for (const [p, pixel] of pixels.entries()) {
      for (let corner = 0; corner < 3; corner++) {
        const weight = barycentrics[3 * pixel + corner]
        const vertex = model.triangles[3 * ids[pixel] + corner]
        for (let k = 0; k < width; k++) result[width * p + k] += weight * source[offset + width * vertex + k]
      }
    }
    return result
  }
  const row = index * model.vertexCount * 3
  const harmonicsOf = (unitNormals: Float32Array) => {
    const result = new Float32Array(unitNormals.length * 3)
    for (let p = 0; p < unitNormals.length / 3; p++)
      result.set(
        sphericalHarmonicsAt(unitNormals[3 * p], unitNormals[3 * p + 1], unitNormals[3 * p + 2]),
        9 * p,
      )
    return result
  }

  const chosen: number[] = []
  for (let y = 1; y < size; y += SPACING) {
    for (let x = 1; x < size; x += SPACING) {
      const pixel = y * size + x
      if (ids[pixel] >= 0 && ids[pixel] < triangleCount && faceRegion[first + pixel] > 0.5) chosen.push(pixel)
    }
  }
  const pointNormals = toUnit(mix(chosen, normals, row))
  const toCamera = mix(chosen, positions, row)
  for (let i = 0; i < toCamera.length; i++)
    toCamera[i] = (i % 3 === 2 ? surface.cameraDistance : 0) - toCamera[i]
  const diffuse = denseNumbers(model.albedo.diffuse)
  const inEyes = eyePixels(model, ids, size)
  const whites = eyeWhites(
    Float32Array.from({ length: inEyes.length * 3 }, (_, i) => linear(inEyes[Math.floor(i / 3)], i % 3)),
    harmonicsOf(toUnit(mix(inEyes, normals, row))),
    skinColor(chosen, skin.subarray(first), linear),
  )
  const points: ShadedPoints = {
    count: chosen.length,
    colors: Float32Array.from({ length: chosen.length * 3 }, (_, i) =>
      linear(chosen[Math.floor(i / 3)], i % 3),
    ),
    harmonics: harmonicsOf(pointNormals),
    albedoMean: mix(chosen, denseNumbers(model.albedo.diffuseMean), 0),
    albedoModes: Array.from({ length: model.layout.albedo }, (_, k) =>
      mix(chosen, diffuse, k * model.vertexCount * 3),
    ),
    weights: Float32Array.from(
      chosen,
      (pixel) => faceRegion[first + pixel] * (0.1 + 0.9 * skin[first + pixel]),
    ),
    gloss: {
      normals: pointNormals,
      toCamera: toUnit(toCamera),
      specular: mix(chosen, skinGloss(model), 0, 1),
    },
    ...(whites && { whites }),
  }
  return estimateLight(points)
}

/** `[N]` mean specular albedo of the skin; 0 elsewhere. */
function skinGloss(model: MorphableModel): Float32Array {
  const mean = denseNumbers(model.albedo.specularMean)
  const gloss = Float32Array.from({ length: model.vertexCount }, (_, i) => mean[3 * i + 1])
  for (const name of NOT_SKIN) for (const vertex of model.regions?.[name] ?? []) gloss[vertex] = 0
  return gloss
}

/** Mean colour of the skin in the picture. */
function skinColor(
  pixels: readonly number[],
  skin: ArrayLike<number>,
  linear: (pixel: number, c: number) => number,
): Color {
  const sum: Color = [1e-9, 1e-9, 1e-9]
  for (const pixel of pixels) for (let c = 0; c < 3; c++) sum[c] += skin[pixel] * linear(pixel, c)
  return sum
}

function toUnit(vectors: Float32Array): Float32Array {
  for (let i = 0; i < vectors.length; i += 3) {
    const length = Math.hypot(vectors[i], vectors[i + 1], vectors[i + 2]) || 1
    for (let axis = 0; axis < 3; axis++) vectors[i + axis] /= length
  }
  return vectors
}
