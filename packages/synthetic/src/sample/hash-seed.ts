/** Mixes a seed with numbers that say what it is for, into a seed of its own: neighbours share nothing.
 *
 * @returns a whole number from 0 to 2^32 - 1
 */
export function hashSeed(seed: number, ...purposes: readonly number[]): number {
  let hash = seed | 0
  for (const purpose of purposes) {
    hash = Math.imul(hash ^ (purpose | 0) ^ Math.floor(purpose / 2 ** 32), 0x9e3779b1) + 0x7f4a7c15
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}
