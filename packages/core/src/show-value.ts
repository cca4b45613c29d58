/** Letters of a value that a message shows. */
const LONGEST = 80
/** Levels, and members of one level, that are looked at. */
const DEEPEST = 3
const MOST = 8

/** A value in a message: as JSON, shortened. Never throws, however deep, large or odd the value is: what a file holds must not decide how
 * its error is reported.
 *
 * @example
 * showValue({ batch: [1, 2], name: 'x'.repeat(1000) }) // '{"batch":[1,2],"name":"xxxxx...'
 */
export function showValue(value: unknown): string {
  let text: string
  try {
    text = write(value, 0)
  } catch {
    // A getter or a proxy that throws.
    text = typeof value
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text
}

function write(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, LONGEST + 1))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value)) return Object.prototype.toString.call(value).slice(8, -1)
  const isList = Array.isArray(value)
  if (depth === DEEPEST) return isList ? '[...]' : '{...}'
  const keys = isList
    ? Array.from({ length: Math.min(value.length, MOST + 1) }, (_, i) => i)
    : firstKeys(value)
  const parts = keys.slice(0, MOST).map((key) => {
    const text = write((value as Record<string | number, unknown>)[key], depth + 1)
    return isList ? text : `${JSON.stringify(String(key).slice(0, LONGEST))}:${text}`
  })
  if (keys.length > MOST) parts.push('...')
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

function firstKeys(value: object): string[] {
  const keys: string[] = []
  for (const key in value) {
    if (Object.hasOwn(value, key)) keys.push(key)
    if (keys.length > MOST) break
  }
  return keys
}
