import { ValueError } from '@facekit/core'
import { arkitModes, arkitNames, type ArkitName } from '@facekit/parameters'
import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { mouthClose } from './mouth-close.js'

/** One blend shape of a rig: how far it moves each vertex at weight 1. */
export interface ArkitTarget {
  name: ArkitName
  /** `[N * 3]` mm. */
  offsets: Float32Array
}

const rigs = new WeakMap<MorphableModel, readonly ArkitTarget[]>()

/** The 52 blend shapes of ARKit on a model whose expressions go by their names, for the export of a face that can be driven.
 *
 * Most are modes of the model. `browInnerUp` and `cheekPuff` are sums of the two sides where the model parts them, `mouthClose` is made of `jawOpen` where
 * the model lacks it, and a shape that a model has nothing for moves nothing (`tongueOut` of a model without a tongue): streams of 52 weights fit
 * all the same. A linear model's expressions are the same for every identity.
 *
 * @returns in the order of `arkitNames`; the caller leaves them as they are
 * @throws {ValueError} when the model has fewer than 40 of the shapes, as one whose expressions have no names
 */
export function arkitTargets(model: MorphableModel): readonly ArkitTarget[] {
  const known = rigs.get(model)
  if (known) return known
  const { expression, expressionNames = [], expressionRange } = model.shape
  const modes = arkitModes(expressionNames)
  const found = modes.filter((list) => list.length > 0).length
  if (found < 40)
    throw new ValueError(
      `arkitTargets: model "${model.name}" has ${found} of ARKit's 52 expressions by name, expected at least 40; use the base model or ICT-FaceKit`,
    )
  const data = denseData(expression)
  const size = model.vertexCount * 3
  const top = expressionRange?.[1] ?? 1
  const sum = (list: readonly number[]) => {
    const offsets = new Float32Array(size)
    for (const k of list) for (let i = 0; i < size; i++) offsets[i] += top * data[k * size + i]
    return offsets
  }
  const targets = arkitNames.map((name, a): ArkitTarget => {
    if (name !== 'mouthClose' || modes[a].length > 0) return { name, offsets: sum(modes[a]) }
    const made = mouthClose(model, sum(modes[arkitNames.indexOf('jawOpen')]))
    return { name, offsets: made ?? new Float32Array(size) }
  })
  rigs.set(model, targets)
  return targets
}
