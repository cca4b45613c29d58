import type { MorphableModel } from '@facekit/morphable'
import { sphericalHarmonicsBasis } from '@facekit/illumination'
import { tensor2d, tidy, type Tensor } from '@tensorflow/tfjs-core'
import { denseNumbers, type CropTensors } from './stack-crops.js'
import { estimateLight, type LightEstimate, type ShadedPoints } from './estimate-light.js'

/** Every n-th pixel is taken, in both directions. */
const SPACING = 3

/** Where a rendering shows which part of the surface; see `FaceRendering`. */
export interface SeenSurface {
  /** `[B, S, S]` */
  triangleIds: Tensor
  /** `[B, S, S, 3]` */
  barycentrics: Tensor
  /** `[B, N, 3]` world space, unit length. */
  normals: Tensor
}

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
  const [ids, barycentrics, normals, picture, faceRegion, skin] = await Promise.all([
    surface.triangleIds.data(),
    surface.barycentrics.data(),
    surface.normals.data(),
    crops.inputImage.data(),
    crops.faceRegion.data(),
    crops.skinProbability.data(),
  ])
  const triangleCount = model.triangles.length / 3
  const chosen: number[] = []
  for (let y = 1; y < size; y += SPACING) {
    for (let x = 1; x < size; x += SPACING) {
      const pixel = (index * size + y) * size + x
      if (ids[pixel] >= 0 && ids[pixel] < triangleCount && faceRegion[pixel] > 0.5) chosen.push(pixel)
    }
  }
  const count = chosen.length
  const mix = (source: ArrayLike<number>, offset: number) => {
    const result = new Float32Array(count * 3)
    for (const [p, pixel] of chosen.entries()) {
      for (let corner = 0; corner < 3; corner++) {
        const weight = barycentrics[3 * pixel + corner]
        const vertex = model.triangles[3 * ids[pixel] + corner]
        for (let axis = 0; axis < 3; axis++)
          result[3 * p + axis] += weight * source[offset + 3 * vertex + axis]
      }
    }
    return result
  }
  const pointNormals = mix(normals, index * model.vertexCount * 3)
  for (let p = 0; p < count; p++) {
    const length = Math.hypot(pointNormals[3 * p], pointNormals[3 * p + 1], pointNormals[3 * p + 2]) || 1
    for (let axis = 0; axis < 3; axis++) pointNormals[3 * p + axis] /= length
  }
  const harmonics = tidy(() => sphericalHarmonicsBasis(tensor2d(pointNormals, [count, 3])))
  const diffuse = denseNumbers(model.albedo.diffuse)
  const points: ShadedPoints = {
    count,
    colors: new Float32Array(count * 3),
    harmonics: (await harmonics.data()) as Float32Array,
    albedoMean: mix(denseNumbers(model.albedo.diffuseMean), 0),
    albedoModes: Array.from({ length: model.layout.albedo }, (_, k) =>
      mix(diffuse, k * model.vertexCount * 3),
    ),
    weights: Float32Array.from(chosen, (pixel) => faceRegion[pixel] * (0.1 + 0.9 * skin[pixel])),
  }
  harmonics.dispose()
  for (const [p, pixel] of chosen.entries()) {
    for (let c = 0; c < 3; c++) points.colors[3 * p + c] = picture[3 * pixel + c] ** 2.2
  }
  return estimateLight(points)
}
