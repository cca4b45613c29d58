import { loadBaseModel } from '@facekit/base-model'

const { shape, landmarks } = await loadBaseModel()

/** `[68 * 3]` mm: where an average face has its landmarks, by the base model. */
export const averageLandmarks = Float32Array.from(
  Array.from(landmarks, (vertex) => [0, 1, 2].map((c) => shape.mean.get(vertex, c))).flat(),
)
