import type { MorphableModel } from '@facekit/morphable'
import type { FaceMeshNetwork } from './face-mesh-network.js'
import { readShippedModel } from '../load-base-model.js'
import type { LearningPerson } from './observe-people.js'

/** What `learnFaceModel` tells while it works. */
export interface LearningProgress {
  stage: 'photographs' | 'align' | 'identity' | 'expression' | 'albedo' | 'pack'
  /** People done of all in the stage `photographs`; parts of the work in the others. */
  done: number
  total: number
}

/** Options of `learnFaceModel`. */
export interface LearnFaceModelOptions {
  /** Folder (Node) that keeps what was seen in the photographs: an interrupted run goes on from there, and a second run on
   * the same photographs takes seconds a hundred people. It holds colours of faces: treat it like the photographs. */
  cache?: string
  /** Finds the dense landmarks. Default: `loadFaceMesh()`, which needs the optional peer `@vladmandic/human`. */
  network?: FaceMeshNetwork
  /** How much of the variance in height against width is believed, as a factor of its deviation; 1, or 0.5 for videos
   * whose pixels may not be square. Default 1. */
  stretch?: number
  /** Default 80. */
  identityModes?: number
  /** Learned albedo modes; thirteen painted ones, of tone, age and eyes, come before them. Default 43. */
  albedoModes?: number
  /** Written into the model. */
  name?: string
  license?: string
  origin?: string
  /** Stops the work; the promise is rejected with the signal's reason, and what was seen stays in the cache. */
  signal?: AbortSignal
  onProgress?: (progress: LearningProgress) => void
}

/** What came out. */
export interface LearnedFaceModel {
  model: MorphableModel
  /** The model as a file for `loadBaseModel({ source })`; a few MB. */
  bytes: Uint8Array<ArrayBuffer>
  report: {
    /** People and photographs in which a face was found. */
    people: number
    photographs: number
    /** Share of the variance of shapes that the turn of the head explained, and that was taken out. */
    poseShare: number
    /** Mean distance that the 68 landmarks moved over the mesh, to where the photographs' labels are, mm. */
    landmarksMoved: number
    /** Share of what faces of one person differ by that the expression modes explain, before and after learning. */
    expressionExplained: { before: number; after: number }
    /** People with photographs good enough for albedo. */
    albedoPeople: number
    /** Share of the albedo's variance that the first k modes explain. */
    albedoExplained: number[]
    /** For each mode, the share of its variance that comes back in other clips of the same person. */
    albedoRepeatability: number[]
    /** Deviation of log luminance, log red over green, log green over blue between clips. */
    toneDeviation: [number, number, number]
  }
}

/** Learns a morphable face model from photographs grouped by person, without any scan: same mesh, landmarks, regions and
 * names of expressions as the base model, with statistics of these people.
 *
 * Landmarks: each moves over the mesh to where the photographs' labels lie. Identity: covariance of the people's means, pose regressed out, mixed with a Gaussian process that gives depth.
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
