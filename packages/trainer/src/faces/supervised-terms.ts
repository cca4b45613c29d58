import { ValueError } from '@facekit/core'
import type { FaceParameters } from '@facekit/parameters'
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

/** Weights of the terms. That of expression is for blendshapes of 0 to 1; for coefficients in standard deviations take 0.5. */
export const supervisedWeights: Readonly<Record<SupervisedName, number>> = Object.freeze({
  identity: 0.5,
  expression: 10,
  albedo: 0.5,
  pose: 1,
  illumination: 0.25,
  vertices: 0.4,
  landmarks: 0.1,
})

/** Standard deviations of the faces of @facekit/synthetic, about: what a difference is measured in. */
const SPREAD = {
  rotation: 0.3,
  translation: 13,
  logScale: 0.17,
  harmonics: 0.5,
  lightPosition: 700,
  lightColor: 0.7,
  logShininess: 0.8,
}

/** Rounds the tip of a distance at 0, in its unit. */
const EPSILON = 1e-2

/** Losses on rendered faces: each parameter against the one that the face was rendered with, squared, in units of how much faces differ; and the
 * mean distances of vertices (mm, pose apart) and of seen landmarks (pixels).
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
    term('identity', ({ found, truth }) => squares(found.identity, truth.identity)),
    term('expression', ({ found, truth }) => squares(found.expression, truth.expression)),
    term('albedo', ({ found, truth }) => squares(found.albedo, truth.albedo)),
    term('pose', ({ found: { pose }, truth: { pose: true_ } }) =>
      sum(
        squares(pose.rotation, true_.rotation, SPREAD.rotation),
        squares(pose.translation, true_.translation, SPREAD.translation),
        squares(tf.log(pose.scale), tf.log(true_.scale), SPREAD.logScale),
      ),
    ),
    term('illumination', ({ found: { illumination: a }, truth: { illumination: b } }) =>
      sum(
        squares(a.sphericalHarmonics, b.sphericalHarmonics, SPREAD.harmonics),
        squares(a.lightPosition, b.lightPosition, SPREAD.lightPosition),
        squares(a.lightColor, b.lightColor, SPREAD.lightColor),
        squares(tf.log(a.shininess), tf.log(b.shininess), SPREAD.logShininess),
      ),
    ),
    term('vertices', ({ foundVertices, trueVertices }) => tf.mean(distances(foundVertices, trueVertices))),
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

const squares = (a: tf.Tensor, b: tf.Tensor, unit = 1): tf.Scalar =>
  a.size === 0 ? tf.scalar(0) : tf.mean(tf.square(tf.div(tf.sub(a, b), unit)))

const sum = (...terms: tf.Scalar[]): tf.Scalar => tf.addN(terms)

/** `[B, L]` of points `[B, L, D]`. */
const distances = (a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor2D =>
  tf.sub(tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(a, b)), 2), EPSILON ** 2)), EPSILON)
