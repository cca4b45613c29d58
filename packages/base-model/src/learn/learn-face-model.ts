import { readShippedModel } from '../load-base-model.js'
import type { LearnedFaceModel, LearnFaceModelOptions } from './learning-options.js'
import type { LearningPerson } from './observe-people.js'

/** Learns a morphable face model from photographs grouped by person, without any scan: same mesh, landmarks, regions and
 * names of expressions as the base model, with statistics of these people.
 *
 * Landmarks: each moves over the mesh to where the photographs' labels lie. Identity: covariance of the people's means, pose
 * regressed out, mixed with a Gaussian process that gives depth.
 * Expression: the named modes bent towards the differences within people; lids and gaze stay as they were made. Albedo:
 * principal components with the light divided out, each shrunk by how repeatable it is, after explicit modes of tone.
 * Deterministic: the same photographs give the same bytes on the same backend.
 *
 * A photograph takes some 50 ms on WASM, what follows about a minute for 3,500 of them, and up to 1 GB of memory.
 *
 * @param people - at least three; good statistics begin at some hundred
 * @throws {FacekitError} when `@vladmandic/human` is missing and no `network` is given
 * @throws {ValueError} when there are too few people, or too few with a usable face; names the remedy
 * @example
 * const { model, report } = await learnFaceModel(people, { cache: 'seen' })
 * await saveMorphableModel(model, 'our-faces.safetensors')
 */
export async function learnFaceModel(
  people: readonly LearningPerson[],
  options: LearnFaceModelOptions = {},
): Promise<LearnedFaceModel> {
  // Apart from the loader of the base model, so that programs which only load it do not carry the learner along.
  const [{ learn }, template] = await Promise.all([import('./learner.js'), readShippedModel('synthetic')])
  return learn(people, template, options)
}
