import type { Box, Picture, Points, SimilarityTransform } from '@facekit/annotate'
import type { ParameterTree } from '@facekit/parameters'
import type { NdArray } from 'ndarray'

/** One labelled face: an aligned crop and all that is known of it. Plain data on the CPU: nothing to dispose. */
export interface FaceSample {
  /** Names the sample within its data set: letters, digits, `_`, `-` and `/`. */
  key: string
  /** Whose face it is, where that is known: of pictures in folders, the first folder's name. */
  identity?: string
  /** `[S, S, 3]` encoded sRGB, 0..255: the aligned crop. */
  image: Picture
  annotation: SampleAnnotation
  /** The picture that the crop was cut from. */
  source?: SampleSource
  /** How good the labels seem, see `labelQuality`; 0 doubtful, 1 good. */
  quality?: Record<string, number>
  /** What a rendered face was made of. */
  parameters?: SampleParameters
  /** Further files of the sample by their ending, as they are on disk: `{ 'normals.png': bytes }`. */
  files?: Record<string, Uint8Array>
}

/** The labels of a face, in pixels of its crop. Pixel centres are at +0.5. */
export interface SampleAnnotation {
  /** Pixels of the original picture; may reach outside. */
  box: Box
  /** How sure the detector was, 0..1. */
  score: number
  /** Pixels of the original picture to pixels of the crop. */
  transform: SimilarityTransform
  /** `[68, 2]` pixels of the crop. */
  landmarks: Points
  /** Whether each landmark is seen, 68 values 0..1; for rendered faces. */
  landmarkVisibility?: Float32Array
  /** `[S, S]` 0..1, in steps of 1/255: pixels that show the face. */
  faceRegion: NdArray<Float32Array>
  /** `[S, S]` 0..1: the opening between the lips. */
  innerMouth: NdArray<Float32Array>
  /** `[S, S]` 0..1: probability that a pixel is bare skin. */
  skinProbability: NdArray<Float32Array>
  /** `[D]` identity features; empty where there are none. */
  embedding: Float32Array
}

/** Where a sample comes from. */
export interface SampleSource {
  /** Path of the picture below the folder that was labelled, with `/`. */
  picture: string
  /** Pixels of the original picture, upright. */
  width: number
  height: number
  /** Which of the picture's faces, from 0, the largest first. */
  face: number
  /** How many faces the picture has. */
  faces: number
}

/** The parameters of one face as arrays, row by row: `FaceParameters` without the batch dimension. */
export type SampleParameters = ParameterTree<Float32Array>
