import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { encodeGlb, type PictureArray } from '@facekit/export'
import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import type { SheetFrame } from './sheet-frame.js'

/** Coefficients of one face, `[1, K]` each. */
export type SheetFace = Pick<FaceParameters, 'identity' | 'expression' | 'albedo'>

/** Soft light from above and in front. */
const LIGHT = [2.6, 0.7, 0.9, 0.2]

/** A face in soft light, `[S, S, 3]` encoded, on grey. */
export async function renderSheetFace(
  model: MorphableModel,
  face: SheetFace,
  { size, yaw, frame }: { size: number; yaw: number; frame: SheetFrame },
): Promise<PictureArray> {
  const neutral = neutralParameters(model.layout, 1)
  const harmonics = new Float32Array(27)
  LIGHT.forEach((value, l) => harmonics.fill(value, l * 3, l * 3 + 3))
  const image = tf.tidy(() => {
    const parameters: FaceParameters = {
      ...neutral,
      ...face,
      pose: {
        rotation: tf.tensor2d([[0, yaw, 0]]),
        translation: tf.tensor2d([frame.translation]),
        scale: tf.tensor2d([[frame.scale]]),
      },
      illumination: { ...neutral.illumination, sphericalHarmonics: tf.tensor3d(harmonics, [1, 9, 3]) },
    }
    return renderFace(model, parameters, { width: size, height: size, background: 0.25 }).image
  })
  const data = (await image.data()) as Float32Array
  image.dispose()
  disposeParameters(neutral)
  return ndarray(data, [size, size, 3])
}

/** The face as GLB, with textures of its albedo. */
export async function faceGlb(model: MorphableModel, face: SheetFace): Promise<Uint8Array> {
  const tensors = tf.tidy(() => ({
    vertices: evaluateShape(model, face),
    ...evaluateAlbedo(model, face.albedo),
  }))
  const [vertices, diffuse, specular] = (await Promise.all(
    [tensors.vertices, tensors.diffuse, tensors.specular].map((tensor) => tensor.data()),
  )) as Float32Array[]
  tf.dispose(tensors)
  const { triangles, innerMouthTriangles, uv, name, license } = model
  const mesh = { vertices, diffuse, specular, triangles, innerMouthTriangles, ...(uv && { uv }) }
  return encodeGlb(mesh, { name, extras: { license } })
}
