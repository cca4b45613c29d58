import { FacekitError } from '@facekit/core'

/** A sum over all processes, of a few numbers. */
type Sum = (values: Float64Array) => void

/** What processes add up to find out whether they have the same numbers, whole and from 0 to 2^32 - 1: each in halves, and the square of each half,
 * so that sums are exact. */
export function ballotOf(values: readonly number[]): Float64Array {
  const halves = values.flatMap((value) => [Math.floor(value / 65_536), value % 65_536])
  return Float64Array.from([...halves, ...halves.map((half) => half * half)])
}

/** Whether all processes had the same numbers, from the sum of their ballots: of P equal numbers the sum of squares is the square of the sum
 * over P, of others it is more (Cauchy-Schwarz). All processes get the same answer. */
export function isUnanimous(sums: Float64Array, processes: number): boolean {
  const count = sums.length / 2
  return sums.subarray(0, count).every((total, i) => processes * sums[count + i] === total * total)
}

function areAlike(values: readonly number[], processes: number, sum: Sum): boolean {
  const sums = ballotOf(values)
  sum(sums)
  return isUnanimous(sums, processes)
}

/** 32 bits of a text (FNV-1a). */
export function fingerprintOf(text: string): number {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}

/** Sees that all processes run the same program with the same settings.
 *
 * @throws {FacekitError} in every process, when they do not
 */
export function assertSameProgram(program: string, settings: string, processes: number, sum: Sum): void {
  if (!areAlike([fingerprintOf(program)], processes, sum)) {
    throw new FacekitError(
      `openMpi: the processes run different programs (this one: ${program}); install the same version on every machine`,
    )
  }
  if (!areAlike([fingerprintOf(settings)], processes, sum)) {
    throw new FacekitError('openMpi: the processes have different settings; start all with the same')
  }
}
