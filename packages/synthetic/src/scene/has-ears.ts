import type { MorphableModel } from '@facekit/morphable'

/** Whether a model reaches as far back as ears do. */
export function hasEars(model: MorphableModel): boolean {
  const mean = model.shape.mean.data
  const jaw = Math.min(mean[model.landmarks[0] * 3 + 2], mean[model.landmarks[16] * 3 + 2])
  let farthest = Infinity
  for (let v = 0; v < model.vertexCount; v++) farthest = Math.min(farthest, mean[v * 3 + 2])
  return farthest < jaw - 25
}
