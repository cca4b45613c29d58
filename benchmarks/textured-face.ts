import type { FaceAppearance } from '@facekit/appearance'
import type { FitResult } from '@facekit/fit'
import { shadeSurface } from '@facekit/illumination'
import { evaluateShape, vertexNormals, type MorphableModel } from '@facekit/morphable'
import { whiteLight, type Illumination } from '@facekit/parameters'
import { interpolate, rasterize, sampleTexture } from '@facekit/rasterizer'
import { projectVertices, transformVertices } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

/** Samples along each side of a pixel. */
const SAMPLES = 2

/** Soft light with a lamp at the left of the picture. */
export const sideLight = {
  sphericalHarmonics: [0.75, 0.08, 0.25, -0.3, 0, 0, 0, 0, 0].map((share) =>
    Array(3).fill(share * whiteLight),
  ),
  lightPosition: [-800, 500, 800],
  lightColor: [1.5, 1.5, 1.5],
}

/** Draws a fitted face in its maps where its photograph has it.
 *
 * @param light - default that of the fit
 * @returns `[S * S * 3]` `lit` and `diffuse` albedo, encoded; `[S * S]` `mask`
 */
export function drawTextured(
  model: MorphableModel,
  { parameters, camera }: Pick<FitResult, 'parameters' | 'camera'>,
  maps: Pick<FaceAppearance, 'diffuse' | 'specular'> & { shading?: FaceAppearance['diffuse'] | undefined },
  { size, light }: { size: number; light?: typeof sideLight | undefined },
): Record<'lit' | 'diffuse' | 'mask', Float32Array> {
  const wide = { width: SAMPLES * size, height: SAMPLES * size }
  const triangles = Int32Array.of(...model.triangles, ...model.innerMouthTriangles)
  const illumination: Illumination = light
    ? {
        sphericalHarmonics: tf.tensor3d([light.sphericalHarmonics]),
        lightPosition: tf.tensor2d([light.lightPosition]),
        lightColor: tf.tensor2d([light.lightColor]),
        shininess: parameters.illumination.shininess,
      }
    : parameters.illumination
  const pictures = tf.tidy(() => {
    const vertices = transformVertices(evaluateShape(model, parameters), parameters.pose)
    const fragments = rasterize(projectVertices(vertices, camera, wide), triangles, wide)
    const uv = tf.tensor3d(
      Float32Array.from({ length: 2 * model.vertexCount }, (_, i) => model.uv!.get(i >> 1, i & 1)),
      [1, model.vertexCount, 2],
    )
    const surface = interpolate(
      tf.concat([uv, vertexNormals(vertices, model), vertices], 2),
      fragments,
      triangles,
    )
    const part = (start: number, count: number) =>
      tf.slice(surface, [0, 0, 0, start], [-1, -1, -1, count]) as tf.Tensor4D
    const map = ({ data, shape }: FaceAppearance['diffuse']) =>
      sampleTexture(tf.tensor4d(data, [1, shape[0], shape[1], 3]), part(0, 2))
    const bent = part(2, 3)
    const normals = tf.div<tf.Tensor4D>(bent, tf.sqrt(tf.maximum(tf.sum(tf.square(bent), 3, true), 1e-12)))
    const diffuse = map(maps.diffuse)
    const { shaded } = shadeSurface({
      diffuse: maps.shading ? tf.mul<tf.Tensor4D>(diffuse, map(maps.shading)) : diffuse,
      specular: map(maps.specular),
      normals,
      positions: part(5, 3),
      ...illumination,
      cameraPosition: [0, 0, camera.distance],
    })
    const [matt, gloss] = tf.split(shaded, 2, 3)
    const small = (tensor: tf.Tensor) =>
      tf.avgPool(tf.clipByValue(tensor as tf.Tensor4D, 0, 1), SAMPLES, SAMPLES, 'valid')
    const encoded = (tensor: tf.Tensor) => tf.pow(small(tensor), 1 / 2.2)
    const onFace = tf.logicalAnd(
      tf.greaterEqual(fragments.triangleIds, 0),
      tf.less(fragments.triangleIds, model.triangles.length / 3),
    )
    const mask = small(tf.reshape(tf.cast(onFace, 'float32'), [1, wide.height, wide.width, 1]))
    return { lit: encoded(tf.add(matt, gloss)), diffuse: encoded(diffuse), mask }
  })
  const result = {
    lit: pictures.lit.dataSync<'float32'>(),
    diffuse: pictures.diffuse.dataSync<'float32'>(),
    mask: pictures.mask.dataSync<'float32'>(),
  }
  tf.dispose(pictures)
  if (light)
    tf.dispose([illumination.sphericalHarmonics, illumination.lightPosition, illumination.lightColor])
  return result
}
