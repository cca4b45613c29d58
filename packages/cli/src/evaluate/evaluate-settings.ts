import type { DatasetName, DatasetOptions } from '@facekit/evaluation'
import type { BackendName } from '@facekit/engine'

/** Methods that are ours. `landmarks` fits the model to 68 landmarks alone; `mean face` is the model's mean for everybody, placed by landmarks. */
export const ownMethods = ['fit', 'regress', 'refine', 'landmarks', 'mean face'] as const
export type OwnMethod = (typeof ownMethods)[number]

/** A method of the table: one of ours, or a folder of meshes. */
export interface EvaluatedMethod {
  /** Its row. */
  name: string
  /** Folder of its meshes; absent for ours. */
  folder?: string
}

/** All that the scores depend on; goes to every worker. */
export interface EvaluateSettings {
  dataset: DatasetName
  /** Absolute. */
  root: string
  datasetOptions: DatasetOptions
  model: string
  backend: BackendName | 'auto'
  regressor?: string
  iterations?: number
  methods: readonly EvaluatedMethod[]
  /** Millimetres of a unit of the meshes in folders. */
  millimetres: number
  /** JSON file with the vertices of 68 landmarks, of REALY's 85 keypoints or of NoW's seven landmarks, for meshes in folders. */
  landmarks?: string
  /** Folder of the results, absolute. */
  out: string
  /** Cases, from the first, of which error maps and sheets are drawn. */
  maps: number
}

/** Whether a method is one of ours. */
export const isOwn = (name: string): name is OwnMethod => (ownMethods as readonly string[]).includes(name)
