/** Text of OpenUSD (`.usda`): what a layer is made of, without any scene in it. */

/** Digits that numbers get: a metre in steps of a micrometre, a direction or a place on a map beyond what 16 bits hold. */
const DIGITS = 6

/** A number without an exponent and without zeros at its end. */
export const usdNumber = (value: number): string => String(Number(value.toFixed(DIGITS)) + 0)

/** `(x, y, z)` */
export const usdTuple = (values: ArrayLike<number>): string => `(${Array.from(values, usdNumber).join(', ')})`

/** `[(x, y, z), ...]` of `values` in tuples of `width`; plain numbers where that is 1. */
export function usdArray(values: ArrayLike<number>, width: 1 | 2 | 3 | 4 = 1): string {
  const items: string[] = []
  for (let i = 0; i < values.length; i += width) {
    let item = usdNumber(values[i])
    for (let c = 1; c < width; c++) item += `,${usdNumber(values[i + c])}`
    items.push(width === 1 ? item : `(${item})`)
  }
  return `[${items.join(',')}]`
}

/** A string in quotes. */
export const usdString = (text: string): string =>
  `"${text
    .replaceAll(/[\\"]/g, '\\$&')
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)}"`

/** A name as USD demands it: letters, digits and underscores, no digit first. */
export const usdName = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_')

/** One prim: what defines it, what it holds, one line each; lines of prims inside it are indented. */
export function usdPrim(
  type: string,
  name: string,
  lines: readonly string[],
  { metadata }: { metadata?: string } = {},
): string {
  const about = metadata ? ` (\n    ${metadata}\n)` : ''
  const body = lines.flatMap((line) => line.split('\n').map((part) => (part === '' ? '' : `    ${part}`)))
  return `def ${type} "${name}"${about}\n{\n${body.join('\n')}\n}`
}
