import type { Random } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'

/** How often an expression is moved at all, and how far, when faces are lively and when they are nearly at rest. */
const LIVELY = { share: 0.2, smallest: 0.25, largest: 1 }
const CALM = { share: 0.25, smallest: 0, largest: 0.3 }
/** Square sum of coefficients that a face bears before it falls apart. */
const ENERGY = 2.2

/** A name without its side: `mouthSmile_L` and `mouthSmileLeft` are `mouthSmile`. */
const stem = (name: string) => name.replace(/(_[LR]|Left|Right)$/, '')
const side = (name: string) => (/(_L|Left)$/.test(name) ? 1 : /(_R|Right)$/.test(name) ? -1 : 0)

/** Samples the expression of a face: at rest, calm, lively; talking; eyes shut; looking anywhere. Both sides move alike, nearly.
 *
 * @param strength - 0 rest, 1 as far as a face goes
 * @returns `[Ke]`
 */
export function sampleExpression(random: Random, model: MorphableModel, strength: number): Float32Array {
  const { expressionNames: names, expressionRange: range } = model.shape
  const count = model.layout.expression
  const result = new Float32Array(count)
  const [smallest, largest] = range ?? [-2, 2]
  const mood = random.uniform()
  const { share, ...limits } =
    mood < 0.15 ? { share: 0, smallest: 0, largest: 0 } : mood < 0.55 ? CALM : LIVELY
  if (!names) {
    for (let k = 0; k < count; k++) {
      const value = random.normal(0, mood < 0.15 ? 0 : mood < 0.55 ? 0.5 : 1) * strength
      result[k] = Math.min(largest, Math.max(smallest, value))
    }
    return result
  }
  const stems = new Map<string, number>()
  for (const name of names) {
    const key = stem(name)
    if (stems.has(key)) continue
    const moves = random.uniform() < share
    stems.set(key, moves ? random.uniform(limits.smallest, limits.largest) : 0)
  }
  const energy = [...stems.values()].reduce((sum, value) => sum + value * value, 0)
  if (energy > ENERGY) for (const [key, value] of stems) stems.set(key, value * Math.sqrt(ENERGY / energy))
  // What is seen most: mouths that talk, and lids that shut.
  const jaw = random.uniform()
  const jawOpen = jaw < 0.22 ? random.uniform(0.2, 1) : jaw < 0.6 ? random.uniform(0, 0.12) : 0
  const blink = random.uniform() < 0.12 ? random.uniform(0.6, 1) : Math.abs(random.normal(0, 0.1))
  const gaze = [random.normal(0, 0.35), random.normal(0, 0.25)]
  const wink = random.uniform() < 0.02 ? random.integer(2) * 2 - 1 : 0
  names.forEach((name, k) => {
    const key = stem(name)
    let value = stems.get(key)! * random.uniform(0.75, 1.25)
    if (key === 'jawOpen') value = jawOpen
    else if (key === 'eyeBlink') value = wink === 0 ? blink : wink === side(name) ? 1 : 0
    else if (key.startsWith('eyeLook')) value = gazeOf(key, side(name), gaze)
    else if (key === 'eyeWide') value *= 1 - blink
    else if (key === 'eyeSquint') value *= 1 - 0.7 * blink
    // Lips that are pressed together, or rolled in, do not go with an open jaw.
    else if (/^mouth(Press|Roll|Close|Shrug)/.test(key)) value *= 1 - Math.min(1, 2 * jawOpen)
    result[k] = Math.min(largest, Math.max(smallest, value * strength))
  })
  return result
}

/** Both eyes look the same way: out with one is in with the other. */
function gazeOf(key: string, eye: number, [right, up]: readonly number[]): number {
  if (key === 'eyeLookUp') return Math.max(0, up)
  if (key === 'eyeLookDown') return Math.max(0, -up)
  const outwards = right * eye
  return Math.max(0, key === 'eyeLookOut' ? outwards : -outwards)
}
