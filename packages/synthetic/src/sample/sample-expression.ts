import type { Random } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { facialActions, type FacialAction } from './facial-actions.js'
import { type FeatureGaps, featureGaps, LID_GAPS, LIP_GAPS } from './feature-gaps.js'

/** Share of faces whose coefficients have nothing to do with each other, so that no combination is unheard of. */
const ANYHOW = 0.12
/** How often a coefficient is moved in such a face, how far, and the square sum that a face bears before it falls apart. */
const SHARE = 0.2
const MOVES = [0.2, 0.9] as const
const ENERGY = 2
/** Lids: shares of shut and of partly shut eyes, and of winks. */
const SHUT = 0.15
const PARTLY = 0.32
const WINK = 0.04
/** Share of people who look down, at a book, a telephone, the floor: their lids follow, and often their heads do. */
const DOWNCAST = 0.12
/** No expression. */
const NOTHING: readonly number[] = []
/** How far lids are open over eyes that look down, of what they are at rest. */
const DOWNCAST_LIDS = [0.12, 0.55] as const
/** What lids overlap when they are shut, mm. */
const OVERLAP = 0.25
/** Large eyes need more than one whole blink to shut. */
const LARGEST_BLINK = 1.3
/** Which shapes bring lips together that are apart, and, last, apart that overlap. */
const CLOSERS =
  /^(mouthClose|mouthPress|mouthShrugLower|mouthRollUpper|mouthRollLower|jawOpen|mouthLowerDown)$/
/** Shapes that open lips, and so do not go with closed ones. */
const OPENERS = /^(jawOpen|mouthUpperUp|mouthLowerDown|tongueOut|mouthClose)$/

/** A name without its side: `mouthSmile_L` and `mouthSmileLeft` are `mouthSmile`. The mouth's and the jaw's left and right are directions. */
const stem = (name: string) =>
  /^(mouth|jaw)(Left|Right)$/.test(name) ? name : name.replace(/(_[LR]|Left|Right)$/, '')
const side = (name: string) => (stem(name) === name ? 0 : /(_L|Left)$/.test(name) ? 1 : -1)

/** Samples the expression of a face of known identity: `[Ke]`. Who looks down comes from a stream of its own. */
export type ExpressionSampler = (
  random: Random,
  identity: ArrayLike<number>,
  downwards: Random,
) => Float32Array

/** Makes the function that samples expressions: what faces do (smile, talk, frown, ...), with brows, gaze and lids of their own, both sides nearly alike;
 * some coefficients at random. Lips that touch and lids that are shut do so exactly, whoever's they are: the coefficients that bring them together
 * are solved for. A model whose expressions have no names gets random coefficients.
 *
 * @param strength - 0 rest, 1 as far as a face goes
 */
export function expressionSampler(model: MorphableModel, strength: number): ExpressionSampler {
  const { expressionNames: names, expressionRange } = model.shape
  const count = model.layout.expression
  const [smallest, largest] = expressionRange ?? [-2, 2]
  const held = (value: number) => Math.min(largest, Math.max(smallest, value))
  if (!names) {
    return (random) => {
      const mood = random.uniform()
      const deviation = mood < 0.15 ? 0 : mood < 0.55 ? 0.5 : 1
      return Float32Array.from({ length: count }, () => held(random.normal(0, deviation) * strength))
    }
  }
  const gaps = featureGaps(model)
  const stems = [...new Set(names.map(stem))]
  const total = facialActions.reduce((sum, { weight }) => sum + weight, 0)
  return (random, identity, downwards) => {
    const between = ([from, to]: readonly [number, number]) => random.uniform(from, to)
    const values = new Map<string, number>()
    const add = (name: string, value: number) => values.set(name, (values.get(name) ?? 0) + value)
    const anyhow = random.uniform() < ANYHOW
    let action: FacialAction = { weight: 0, closed: 0.3, coefficients: {} }
    if (anyhow) {
      for (const name of stems) if (random.uniform() < SHARE) add(name, between(MOVES))
      const energy = [...values.values()].reduce((sum, value) => sum + value * value, 0)
      for (const [name, value] of values) values.set(name, value * Math.sqrt(Math.min(1, ENERGY / energy)))
    } else {
      let left = random.uniform(0, total)
      action = facialActions.find(({ weight }) => (left -= weight) < 0) ?? facialActions[0]
      for (const [name, range] of Object.entries(action.coefficients)) add(name, between(range))
      // No face does one thing alone.
      for (const name of stems) if (random.uniform() < 0.12) add(name, random.uniform(0, 0.22))
    }
    if (random.uniform() < 0.25) sampleBrows(random, add)
    const closed = random.uniform() < action.closed
    const alone = random.uniform() < (action.oneSided ?? 0.04) ? random.integer(2) * 2 - 1 : 0
    const unevenness = random.uniform() < 0.2 ? 0.5 : 0.15
    const lean = random.normal(0, unevenness)
    const ahead = sampleGaze(random)
    const downcast = downwards.uniform() < DOWNCAST
    const gaze = downcast ? sampleDowncast(downwards) : ahead
    const result = new Float32Array(count)
    names.forEach((name, k) => {
      const key = stem(name)
      const own = side(name)
      let value = values.get(key) ?? 0
      if (key.startsWith('eyeLook')) value = gazeOf(key, own, gaze)
      else if (key === 'eyeBlink') value = 0
      else if (closed && OPENERS.test(key)) value = 0
      else if (closed && key === 'mouthFunnel') value *= 0.2
      else if (own !== 0) value *= Math.max(0, 1 + own * lean)
      if (alone !== 0 && own === -alone && /^(mouth|noseSneer|cheek)/.test(key)) value *= 0.15
      result[k] = held(value * strength)
    })
    if (closed) closeLips(random, names, gaps, identity, result, held)
    shutLids(random, names, gaps, identity, result, downcast ? DOWNCAST_LIDS : action.lids)
    return strength > 0 ? result : result.fill(0)
  }
}

function sampleBrows(random: Random, add: (name: string, value: number) => void): void {
  const kind = random.integer(4)
  if (kind === 0) add('browDown', random.uniform(0.2, 1))
  else if (kind === 1) add('browInnerUp', random.uniform(0.2, 1))
  else {
    add('browOuterUp', random.uniform(0.2, 1))
    if (kind === 2) add('browInnerUp', random.uniform(0.2, 0.8))
  }
}

/** Right and up, -1..1: about at the camera, or anywhere. */
function sampleGaze(random: Random): [number, number] {
  const held = (value: number) => Math.min(1, Math.max(-1, value))
  if (random.uniform() < 0.3) return [random.uniform(-1, 1), random.uniform(-1, 1)]
  return [held(random.normal(0, 0.28)), held(random.normal(-0.05, 0.22))]
}

function sampleDowncast(random: Random): [number, number] {
  return [Math.min(1, Math.max(-1, random.normal(0, 0.35))), random.uniform(-1, -0.4)]
}

/** Both eyes look the same way: out with one is in with the other. */
function gazeOf(key: string, eye: number, [right, up]: readonly number[]): number {
  if (key === 'eyeLookUp') return Math.max(0, up)
  if (key === 'eyeLookDown') return Math.max(0, -up)
  const outwards = right * eye
  return Math.max(0, key === 'eyeLookOut' ? outwards : -outwards)
}

/** Moves what closes lips, as little as is needed, until the gaps between them are nothing: least squares within the range, one coefficient
 * after the other. */
function closeLips(
  random: Random,
  names: readonly string[],
  gaps: FeatureGaps,
  identity: ArrayLike<number>,
  expression: Float32Array,
  held: (value: number) => number,
): void {
  // A jaw may hang a bit behind closed lips.
  const jaw = names.indexOf('jawOpen')
  const closes = names.includes('mouthClose')
  if (jaw >= 0 && closes && random.uniform() < 0.3) expression[jaw] = random.uniform(0, 0.2)
  const closers = names.flatMap((name, k) => (CLOSERS.test(stem(name)) ? [k] : []))
  const found = gaps.of(identity, expression)
  for (let round = 0; round < 12; round++) {
    for (const k of closers) {
      const change = gaps.change(k)
      const [along, norm] = LIP_GAPS.reduce(
        ([dot, square], i) => [dot + change[i] * found[i], square + change[i] * change[i]],
        [0, 0.02],
      )
      const next = held(expression[k] - along / norm)
      const moved = next - expression[k]
      for (const i of LIP_GAPS) found[i] += moved * change[i]
      expression[k] = next
    }
  }
}

/** Sets the lids: shut, partly, open; both alike, or a wink. */
function shutLids(
  random: Random,
  names: readonly string[],
  gaps: FeatureGaps,
  identity: ArrayLike<number>,
  expression: Float32Array,
  lids: readonly [number, number] = [1, 1],
): void {
  const kind = random.uniform()
  const wink = random.uniform() < WINK ? random.integer(2) * 2 - 1 : 0
  const partly = random.uniform() < 0.25 ? random.uniform(0.08, 0.35) : random.uniform(0.35, 1)
  const open =
    kind < SHUT ? 0 : kind < SHUT + PARTLY ? partly : random.uniform(...lids) * random.uniform(0.95, 1.25)
  const found = gaps.of(identity, expression)
  const atRest = gaps.of(identity, NOTHING)
  names.forEach((name, k) => {
    if (stem(name) !== 'eyeBlink') return
    const own = side(name)
    const places = own > 0 ? LID_GAPS.left : LID_GAPS.right
    const wanted = wink === own ? 0 : open
    const change = gaps.change(k)
    const mean = (values: Float64Array) => (values[places[0]] + values[places[1]]) / 2
    const gap = mean(found)
    const slope = mean(change)
    const target = wanted === 0 ? -OVERLAP : mean(atRest) * wanted * random.uniform(0.94, 1.06)
    if (slope < 0) expression[k] = Math.min(LARGEST_BLINK, Math.max(0, (target - gap) / slope))
  })
}
