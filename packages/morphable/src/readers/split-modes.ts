import { ModelFormatError } from '@facekit/core'
import type { ShapedArray } from './shaped-array.js'

/** Identity modes of FLAME's own files. */
const FLAME_IDENTITIES = 300
/** A mode that moves the face this many times as much as the one before begins a new basis: within one they become smaller. */
const JUMP = 3

/** FLAME keeps identity and expression in one array `[N, 3, K]`: identity first, then expression.
 *
 * @param count - N
 * @param splitAt - modes that are identity. Default: up to the mode that is several times as large as the one before it; without
 *   such a one 300, as in FLAME, if there are more; else all
 * @throws {ModelFormatError} when there are fewer modes than `splitAt`
 */
export function splitModes(
  who: string,
  { identity, expression }: { identity?: ShapedArray; expression?: ShapedArray },
  count: number,
  splitAt: number | undefined,
): { identity?: ShapedArray; expression?: ShapedArray } {
  if (!identity || expression) return { ...(identity && { identity }), ...(expression && { expression }) }
  const [n, three, modes] = identity.shape
  if (identity.shape.length !== 3 || n !== count || three !== 3) return { identity }
  if (splitAt !== undefined && splitAt > modes) {
    throw new ModelFormatError(
      `${who}: splitAt is ${splitAt}, the file has ${modes} modes; expected a number of identity modes`,
    )
  }
  const at = splitAt ?? findSplit(identity.data, modes)
  if (at === modes) return { identity }
  const take = (first: number, last: number): ShapedArray => {
    const data = new Float32Array(n * 3 * (last - first))
    for (let i = 0; i < n * 3; i++) {
      for (let k = first; k < last; k++) data[(k - first) * n * 3 + i] = identity.data[i * modes + k]
    }
    return { shape: [last - first, n, 3], data }
  }
  return { identity: take(0, at), expression: take(at, modes) }
}

function findSplit(data: ArrayLike<number>, modes: number): number {
  const squares = new Float64Array(modes)
  for (let i = 0; i < data.length; i++) squares[i % modes] += data[i] ** 2
  let best = 0
  let most = JUMP ** 2
  for (let k = 1; k < modes; k++) {
    const ratio = squares[k] / squares[k - 1]
    if (ratio > most) [best, most] = [k, ratio]
  }
  return best || (modes > FLAME_IDENTITIES ? FLAME_IDENTITIES : modes)
}
