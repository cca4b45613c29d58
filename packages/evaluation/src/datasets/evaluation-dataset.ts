import type { Surface } from '@facekit/mesh'
import type { RealyRegion } from '../protocols/realy-protocol.js'

/** Some of the 68 landmarks in space; 68 to 84 are REALY's further keypoints. */
export interface SpaceLandmarks {
  /** Which of them, `[L]`. */
  which: readonly number[]
  /** `[L * 3]` in the space of the surface that they lie on. */
  positions: Float64Array
}

/** What is known of a face. Absent is what a data set does not tell. */
export interface CaseTruth {
  /** The scan, mm. */
  scan?: Surface
  /** Landmarks of the scan, mm. */
  landmarks?: SpaceLandmarks
  /** `[68 * 2]` landmarks of the first picture, pixels whose centres are at +0.5. */
  pictureLandmarks?: Float64Array
  /** Parts of the scan and its keypoints in REALY's unit. */
  realy?: { regions: Partial<Record<RealyRegion, Surface>>; keypoints: Float64Array; millimetres: number }
}

/** One face to be scored: pictures of it, whose reconstructions are averaged, and the truth. */
export interface EvaluationCase {
  /** Path-like, unique in the data set: `subject_01/outdoor`. */
  id: string
  /** Column of the table that it belongs to. */
  group: string
  /** Below the data set's root. */
  pictures: readonly string[]
  /** Reads the truth.
   *
   * @throws {FacekitError} when a file is missing or damaged, in one line
   */
  read(): Promise<CaseTruth>
}

/** How cases are scored. `surface`: ICP and distances, and correspondence where landmarks or the topology allow it. `picture`: landmarks in the picture.
 * `mouth`: those and the inner mouth in space. `color`: pixels over the face. */
export type EvaluationProtocol = 'surface' | 'now' | 'now-metric' | 'realy' | 'picture' | 'mouth' | 'color'

/** A data set as it lies on the disk. */
export interface EvaluationDataset {
  name: DatasetName
  root: string
  protocol: EvaluationProtocol
  /** Columns of the table, in their order. */
  groups: readonly string[]
  cases: readonly EvaluationCase[]
  /** What is missing or was passed over, a line each. */
  problems: readonly string[]
}

/** Data sets whose layout is known. */
export type DatasetName = 'micc' | 'facescape' | 'aflw2000' | 'celeba' | 'now' | 'realy' | '300w' | 'folder'

/** Options of `openEvaluationDataset`. */
export interface DatasetOptions {
  /** Most pictures of a case: frames of a clip (MICC, default 15), views (FaceScape, default 40). */
  picturesPerCase?: number
  /** Most cases, chosen at random: CelebA, default 2,000; the others, default all. */
  count?: number
  /** Which random ones. Default 0. */
  seed?: number
  /** AFLW2000-3D: whether the 7 faces turned by more than 90 degrees are left out; 3DDFA's split keeps them in its last column. Default false. */
  dropBeyond90?: boolean
  /** NoW: predictions are in mm and keep their size. Default false. */
  metric?: boolean
}
