import type { FaceGeometry, FaceMaps, FollowedFace, PhotographView } from '../face.js'
import type {
  FoundFace,
  GlbOptions,
  HeadOptions,
  PhotoOptions,
  ReconstructOptions,
  ReconstructProgress,
  RenderOptions,
  ShapeChange,
} from '../options.js'
import type { PhotoData, RgbaImage } from '../photo-source.js'
import type { FaceDocument } from '../face-document.js'

/** What goes with a call but not into a message. */
export interface CallEvents {
  signal?: AbortSignal
  onProgress?: (progress: ReconstructProgress) => void
}

/** Options that a message can carry. */
export type EngineChoice = Pick<PhotoOptions, 'backend' | 'networks'>

/** Options of a fit that a message can carry. */
export type FitChoice = EngineChoice & Pick<ReconstructOptions, 'method' | 'iterations' | 'texture' | 'head'>

/** A photograph that is open. */
export interface OpenPhoto {
  photo: number
  faces: FoundFace[]
}

/** Which face of which photograph. */
export interface FaceInPhoto {
  photo: number
  index: number
}

/** A face that is there. */
export interface FoundParameters {
  face: number
  parameters: FaceDocument
  view: PhotographView
}

/** All that is done with photographs and faces, here or in a worker; they are known by their numbers. */
export interface FaceWork {
  prepare(options: EngineChoice & HeadOptions, events: CallEvents): Promise<void>
  open(photo: PhotoData, options: EngineChoice, events: CallEvents): Promise<OpenPhoto>
  /** @param photos - of one person */
  reconstruct(photos: FaceInPhoto[], options: FitChoice, events: CallEvents): Promise<FoundParameters>
  glb(face: number, options: GlbOptions): Promise<Uint8Array<ArrayBuffer>>
  usdz(face: number): Promise<Uint8Array<ArrayBuffer>>
  render(face: number, options: RenderOptions): Promise<RgbaImage & { data: Uint8ClampedArray<ArrayBuffer> }>
  geometry(face: number, change: ShapeChange & HeadOptions): Promise<FaceGeometry>
  maps(face: number, options: HeadOptions): Promise<FaceMaps>
  follow(face: number, options: HeadOptions): Promise<number>
  followNext(follower: number, frame: PhotoData, time?: number): Promise<FollowedFace | undefined>
  endFollow(follower: number): Promise<void>
  close(photo: number): Promise<void>
  forget(face: number): Promise<void>
}
