import { isMonochrome, type FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceGeometry } from '@facekit/render'
import { tensor4d } from '@tensorflow/tfjs-core'
import { denseNumbers, type CropTensors } from './stack-crops.js'
import { luminanceWeights } from './tone-prior.js'

/** Gives black-and-white crops the hues of the model's mean face where the fitted surface is, and keeps their luminance: they say nothing of the
 * colours of light and skin, and taken at their word they would make gray skin, or skin in light of the opposite colour.
 * In place. */
export async function colorMonochrome(
  model: MorphableModel,
  { fragments }: FaceGeometry,
  crops: CropTensors,
  annotations: readonly FaceAnnotation[],
): Promise<void> {
  const gray = annotations.map(({ alignment }) => isMonochrome(alignment.image))
  if (!gray.includes(true)) return
  const [ids, barycentrics, image] = await Promise.all(
    [fragments.triangleIds, fragments.barycentrics, crops.inputImage].map((tensor) => tensor.data()),
  )
  const mean = denseNumbers(model.albedo.diffuseMean)
  const picture = Float32Array.from(image)
  const pixels = crops.size ** 2
  for (let pixel = 0; pixel < picture.length / 3; pixel++) {
    if (!gray[Math.floor(pixel / pixels)]) continue
    const color = [0, 1, 2].map((c) => picture[3 * pixel + c] ** 2.2)
    const hue = hueAt(model, mean, ids[pixel], barycentrics.subarray(3 * pixel, 3 * pixel + 3))
    const luminance = luminanceOf(color)
    for (let c = 0; c < 3; c++) picture[3 * pixel + c] = Math.min(luminance * hue[c], 1) ** (1 / 2.2)
  }
  const { shape } = crops.inputImage
  crops.inputImage.dispose()
  crops.inputImage = tensor4d(picture, shape)
}

const luminanceOf = (color: readonly number[]) =>
  luminanceWeights.reduce((sum, weight, c) => sum + weight * color[c], 0)

/** Mean albedo of a surface point, of luminance 1; gray beside the face and in the mouth. */
function hueAt(
  { triangles }: MorphableModel,
  mean: Float32Array,
  triangle: number,
  weights: ArrayLike<number>,
): number[] {
  if (triangle < 0 || 3 * triangle >= triangles.length) return [1, 1, 1]
  const albedo = [0, 1, 2].map((c) =>
    [0, 1, 2].reduce((sum, k) => sum + weights[k] * mean[3 * triangles[3 * triangle + k] + c], 0),
  )
  const luminance = Math.max(luminanceOf(albedo), 1e-3)
  return albedo.map((value) => value / luminance)
}
