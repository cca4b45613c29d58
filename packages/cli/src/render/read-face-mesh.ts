import type { PlainFaceMesh } from '@facekit/base-model'
import { evaluateAlbedo, evaluateShape, innerMouthUv, type MorphableModel } from '@facekit/morphable'
import type { FaceParameters } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'

export type ColoredMesh = PlainFaceMesh

/** The mesh of one face in model space: with its expression, without its pose. */
export async function readFaceMesh(
  model: MorphableModel,
  parameters: FaceParameters,
): Promise<ColoredMesh & { shininess: number }> {
  const tensors = tf.tidy(() => {
    const { diffuse, specular } = evaluateAlbedo(model, parameters.albedo)
    return { vertices: evaluateShape(model, parameters), diffuse, specular }
  })
  const read = async (tensor: tf.Tensor) => Float32Array.from(await tensor.data())
  const [vertices, diffuse, specular, shininess] = await Promise.all(
    [tensors.vertices, tensors.diffuse, tensors.specular, parameters.illumination.shininess].map(read),
  )
  tf.dispose(tensors)
  const mouthUv = innerMouthUv(model)
  return {
    triangles: model.triangles,
    innerMouthTriangles: model.innerMouthTriangles,
    ...(model.uv ? { uv: model.uv } : {}),
    ...(mouthUv && { innerMouthUv: mouthUv }),
    vertices,
    diffuse,
    specular,
    shininess: shininess[0],
  }
}
