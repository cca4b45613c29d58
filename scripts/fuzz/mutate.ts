import type { Random } from '../../packages/core/src/random.js'
import { mutate } from '../../packages/morphable/test/fuzz.js'

/** Values that JSON can hold and a reader may not expect. */
const ODD = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '-1',
  '1e999',
  '0.5',
  '9007199254740993',
  '"../../x"',
  '"<b>&\\"\'"',
  '"\\u0000"',
  '{"toString":1,"valueOf":1}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  `${'['.repeat(2000)}${']'.repeat(2000)}`,
  `"${'x'.repeat(5000)}"`,
] as const

/** A damaged copy of a file: its bytes, or, of JSON every other time, its values. */
export function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const isJson = bytes[0] === 0x7b
  if (!isJson || random.uniform() < 0.4) return mutate(bytes, random)
  let text = new TextDecoder().decode(bytes)
  const times = 1 + Math.floor(random.uniform() * 3)
  for (let i = 0; i < times; i++) text = replaceValue(text, random)
  return new TextEncoder().encode(text)
}

/** Puts an odd value in the place of one. */
function replaceValue(text: string, random: Random): string {
  const places = [...text.matchAll(/:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null|[[{])/g)]
  if (places.length === 0) return text
  const place = places[Math.floor(random.uniform() * places.length)]
  const odd = ODD[Math.floor(random.uniform() * ODD.length)]
  const start = place.index + place[0].length - place[1].length
  const end = /[[{]/.test(place[1]) ? closing(text, start) : start + place[1].length
  return text.slice(0, start) + odd + text.slice(end)
}

/** Behind the bracket that closes the one at a place. */
function closing(text: string, start: number): number {
  let depth = 0
  let isText = false
  for (let i = start; i < text.length; i++) {
    const letter = text[i]
    if (letter === '"' && text[i - 1] !== '\\') isText = !isText
    if (isText) continue
    if ('[{'.includes(letter)) depth++
    if (']}'.includes(letter) && --depth === 0) return i + 1
  }
  return text.length
}
