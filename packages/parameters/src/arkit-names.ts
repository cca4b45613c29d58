/** The 52 blend shapes of Apple's ARKit (`ARFaceAnchor.BlendShapeLocation`), in the alphabetical order in which drivers stream them. Left and right are
 * the subject's. */
export const arkitNames = Object.freeze([
  'browDownLeft',
  'browDownRight',
  'browInnerUp',
  'browOuterUpLeft',
  'browOuterUpRight',
  'cheekPuff',
  'cheekSquintLeft',
  'cheekSquintRight',
  'eyeBlinkLeft',
  'eyeBlinkRight',
  'eyeLookDownLeft',
  'eyeLookDownRight',
  'eyeLookInLeft',
  'eyeLookInRight',
  'eyeLookOutLeft',
  'eyeLookOutRight',
  'eyeLookUpLeft',
  'eyeLookUpRight',
  'eyeSquintLeft',
  'eyeSquintRight',
  'eyeWideLeft',
  'eyeWideRight',
  'jawForward',
  'jawLeft',
  'jawOpen',
  'jawRight',
  'mouthClose',
  'mouthDimpleLeft',
  'mouthDimpleRight',
  'mouthFrownLeft',
  'mouthFrownRight',
  'mouthFunnel',
  'mouthLeft',
  'mouthLowerDownLeft',
  'mouthLowerDownRight',
  'mouthPressLeft',
  'mouthPressRight',
  'mouthPucker',
  'mouthRight',
  'mouthRollLower',
  'mouthRollUpper',
  'mouthShrugLower',
  'mouthShrugUpper',
  'mouthSmileLeft',
  'mouthSmileRight',
  'mouthStretchLeft',
  'mouthStretchRight',
  'mouthUpperUpLeft',
  'mouthUpperUpRight',
  'noseSneerLeft',
  'noseSneerRight',
  'tongueOut',
] as const)

/** Name of a blend shape of ARKit. */
export type ArkitName = (typeof arkitNames)[number]

/** Expression modes that make up each blend shape of ARKit, by the names of a model: one, or one for each side; none where the model has nothing of the kind.
 *
 * Names end in `Left` and `Right`, or in `_L` and `_R` as in ICT-FaceKit.
 *
 * @param expressionNames - of a model, in the order of its modes
 * @returns for each of `arkitNames` the places of modes whose sum it is
 * @example
 * arkitModes(['jawOpen', 'browInnerUp_L', 'browInnerUp_R'])[2] // [1, 2]: browInnerUp
 */
export function arkitModes(expressionNames: readonly string[]): number[][] {
  const places = new Map(
    expressionNames.map((name, k) => [name.replace(/_L$/, 'Left').replace(/_R$/, 'Right'), k]),
  )
  return arkitNames.map((name) => {
    const whole = places.get(name)
    if (whole !== undefined) return [whole]
    return [`${name}Left`, `${name}Right`].flatMap((half) => places.get(half) ?? [])
  })
}

/** Weights of the 52 blend shapes for a model's expression coefficients.
 *
 * What ARKit has once and the model for each side (`browInnerUp`, `cheekPuff`) gets the mean of both sides; what the model does not have is 0. Weights are limited to
 * 0..1, which is all that programs let a shape key be.
 *
 * @param expression - `[Ke]`
 * @param expressionNames - `[Ke]`
 * @returns `[52]` in the order of `arkitNames`
 */
export function arkitWeights(
  expression: ArrayLike<number>,
  expressionNames: readonly string[],
): Float32Array {
  return Float32Array.from(arkitModes(expressionNames), (modes) => {
    const mean = modes.reduce((sum, k) => sum + expression[k], 0) / (modes.length || 1)
    return Math.min(1, Math.max(0, mean))
  })
}
