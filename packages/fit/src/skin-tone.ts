import type { MorphableModel } from '@facekit/morphable'
import { denseNumbers } from './stack-crops.js'

/** The mean colour of a model's skin, an affine function of the albedo coefficients. */
export interface SkinTone {
  /** `[3]` linear RGB, of coefficients 0. */
  mean: number[]
  /** `[Kt * 3]` how each coefficient changes it. */
  modes: Float32Array
}

/** Brows, lips, eyes and nostrils are darker or brighter than this, relative to the median of the mean face. */
const SKIN_RANGE = [0.75, 1.4] as const

/** Finds the skin of a model by its colour, and how its mean depends on the coefficients. */
export function skinTone(model: MorphableModel): SkinTone {
  const colors = denseNumbers(model.albedo.diffuseMean)
  const count = model.vertexCount
  const luminance = Float64Array.from(
    { length: count },
    (_, i) => 0.2126 * colors[3 * i] + 0.7152 * colors[3 * i + 1] + 0.0722 * colors[3 * i + 2],
  )
  const median = luminance.slice().sort()[count >> 1]
  const skin = [...luminance.keys()].filter(
    (i) => luminance[i] >= SKIN_RANGE[0] * median && luminance[i] <= SKIN_RANGE[1] * median,
  )
  const average = (values: Float32Array, offset: number) =>
    [0, 1, 2].map((c) => skin.reduce((sum, i) => sum + values[offset + 3 * i + c], 0) / skin.length)
  const modes = denseNumbers(model.albedo.diffuse)
  return {
    mean: average(colors, 0),
    modes: Float32Array.from(
      Array.from({ length: model.layout.albedo }, (_, k) => average(modes, k * count * 3)).flat(),
    ),
  }
}
