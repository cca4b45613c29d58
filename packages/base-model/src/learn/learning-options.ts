import type { MorphableModel } from '@facekit/morphable'
import type { FaceMeshNetwork } from './face-mesh-network.js'

/** How far `learnFaceModel` is. */
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
