import { ValueError } from '@facekit/core'
import { evaluateAlbedo, type MorphableModel } from '@facekit/morphable'
import { type FaceParameters, type ParameterName, parameterParts, partOf } from '@facekit/parameters'
import { clipToPixels, projectVertices, transformVertices, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import type { Schedule } from '../loop/training-options.js'

/** What a supervised loss looks at: found and true parameters, and what follows from them. */
export interface SupervisedContext {
  found: FaceParameters
  truth: FaceParameters
  /** `[B, N, 3]` mm, model space, before the pose. */
  foundVertices: tf.Tensor3D
  trueVertices: tf.Tensor3D
  /** `[B, 68, 2]` pixels of a picture of 224 x 224. */
  foundLandmarks: tf.Tensor3D
  trueLandmarks: tf.Tensor3D
  /** `[B, 68]` 1 where a landmark is seen. */
  landmarkVisibility: tf.Tensor2D
  /** What the coefficients are of, and what the faces are seen by. */
  model: MorphableModel
  camera: Camera
}

/** A loss on faces whose parameters are known. Write your own: anything with these members works. */
export interface SupervisedTerm {
  /** Unique among all terms. */
  readonly name: string
  readonly weight: Schedule
  compute(context: SupervisedContext): tf.Scalar
}

/** Names of the terms of `supervisedTerms`. */
export type SupervisedName =
  | 'identity'
  | 'expression'
  | 'albedo'
  | 'pose'
  | 'illumination'
  | 'vertices'
  | 'landmarks'
  | 'pixels'
  | 'diffuse'
  | 'specular'

/** Weights of the terms; the last three count only where they are asked for. That of expression is for blendshapes of 0 to 1; for coefficients in standard deviations take 0.5. */
export const supervisedWeights: Readonly<Record<SupervisedName, number>> = Object.freeze({
  identity: 0.5,
  expression: 10,
  albedo: 0.5,
  pose: 1,
  illumination: 0.25,
  vertices: 0.4,
  landmarks: 0.1,
  pixels: 0,
  diffuse: 0,
  specular: 0,
})

/** What a difference of each parameter is measured in: about the standard deviation of the faces of @facekit/synthetic. Of parameters that are
 * factors the logarithms are compared. */
const UNITS: Readonly<Record<ParameterName, { unit: number; logarithm?: true }>> = {
  identity: { unit: 1 },
  expression: { unit: 1 },
  albedo: { unit: 1 },
  rotation: { unit: 0.3 },
  translation: { unit: 13 },
  scale: { unit: 0.17, logarithm: true },
  sphericalHarmonics: { unit: 0.5 },
  lightPosition: { unit: 700 },
  lightColor: { unit: 0.7 },
  shininess: { unit: 0.8, logarithm: true },
}

/** What differences of albedo are measured in. */
const REFLECTANCE = 0.1
/** The picture whose pixels distances are measured in. */
const VIEW = { width: 224, height: 224 }

/** Rounds the tip of a distance at 0, in its unit. */
const EPSILON = 1e-2

/** Losses on rendered faces: each parameter against the one that the face was rendered with, squared, in units of how much faces differ; and the
 * mean distances of vertices (mm, pose apart) and of seen landmarks (pixels). On request also the mean distance of all vertices in the picture, posed
 * (`pixels`), and squared differences of the vertices' albedo (`diffuse`, `specular`).
 *
 * @param weights - other ones than `supervisedWeights`; 0 leaves a term out
 * @throws {ValueError} for an unknown name
 */
export function supervisedTerms(weights: Partial<Record<SupervisedName, Schedule>> = {}): SupervisedTerm[] {
  for (const name of Object.keys(weights)) {
    if (!Object.hasOwn(supervisedWeights, name)) {
      const known = Object.keys(supervisedWeights).join(', ')
      throw new ValueError(`supervisedTerms: weights has "${name}", expected only ${known}`)
    }
  }
  const term = (name: SupervisedName, compute: SupervisedTerm['compute']): SupervisedTerm => ({
    name: `supervised_${name}`,
    weight: weights[name] ?? supervisedWeights[name],
    compute: (context) => tf.tidy(() => compute(context)),
  })
  return [
    ...(['identity', 'expression', 'albedo', 'pose', 'illumination'] as const).map((name) =>
      term(name, ({ found, truth }) => parameterError(name, found, truth)),
    ),
    term('vertices', ({ foundVertices, trueVertices }) => tf.mean(distances(foundVertices, trueVertices))),
    term('pixels', ({ found, truth, foundVertices, trueVertices, camera }) => {
      const seen = (vertices: tf.Tensor3D, { pose }: FaceParameters) =>
        clipToPixels(projectVertices(transformVertices(vertices, pose), camera, VIEW), VIEW)
      return tf.mean(distances(seen(foundVertices, found), seen(trueVertices, truth)))
    }),
    ...(['diffuse', 'specular'] as const).map((part) =>
      term(part, ({ found, truth, model }) => {
        const [a, b] = [found, truth].map(({ albedo }) => evaluateAlbedo(model, albedo)[part])
        return tf.mean<tf.Scalar>(tf.square(tf.div(tf.sub(a, b), REFLECTANCE)))
      }),
    ),
    term('landmarks', ({ foundLandmarks, trueLandmarks, landmarkVisibility }) =>
      // Of each picture by itself: the mean of two batches is then that of both together.
      tf.mean(
        tf.div(
          tf.sum(tf.mul(distances(foundLandmarks, trueLandmarks), landmarkVisibility), 1),
          tf.maximum(tf.sum(landmarkVisibility, 1), 1),
        ),
      ),
    ),
  ]
}

/** Mean squared difference, in its unit, of a part of the parameters, or the sum over a group of them. */
function parameterError(partOrGroup: string, found: FaceParameters, truth: FaceParameters): tf.Scalar {
  const errors = parameterParts
    .filter((part) => ('group' in part ? part.group : part.name) === partOrGroup)
    .map((part) => {
      const { unit, logarithm } = UNITS[part.name]
      const [a, b] = [found, truth].map((parameters) => partOf(parameters, part))
      if (a.size === 0) return tf.scalar(0)
      const difference = logarithm ? tf.sub(tf.log(a), tf.log(b)) : tf.sub(a, b)
      return tf.mean<tf.Scalar>(tf.square(unit === 1 ? difference : tf.div(difference, unit)))
    })
  return errors.length === 1 ? errors[0] : tf.addN(errors)
}

/** `[B, L]` of points `[B, L, D]`. */
const distances = (a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor2D =>
  tf.sub(tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(a, b)), 2), EPSILON ** 2)), EPSILON)
