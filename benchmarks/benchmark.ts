/** What the benchmarks of networks have in common: options, backends, clocks, a table and JSON. */
import { assertHealthy, inspectBackends, type BackendName } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'

/** Backends to measure: those that were asked for, or all that work here but for a CPU that plays the part of a GPU. */
export async function chooseBackends(wanted: string | undefined): Promise<BackendName[]> {
  if (wanted !== undefined) return wanted.split(',') as BackendName[]
  const reports = await inspectBackends()
  return reports
    .filter(({ available, adapter }) => available && !adapter?.software)
    .map(({ backend }) => backend)
}

/** Milliseconds of runs. */
export interface Times {
  fastest: number
  median: number
  runs: number
}

export function summarize(times: readonly number[]): Times {
  const sorted = times.toSorted((a, b) => a - b)
  return { fastest: sorted[0], median: sorted[Math.floor(sorted.length / 2)], runs: sorted.length }
}

/** Milliseconds that a run takes, its result waited for; several in a row where that pays (a GPU is never asked for one at a time). */
export async function time(run: () => tf.Tensor, count = 1): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < count - 1; i++) run().dispose()
  const last = run()
  await last.data()
  const elapsed = (performance.now() - start) / count
  last.dispose()
  await assertHealthy()
  return elapsed
}

/** What is in memory now. */
export function memory(): Record<string, number> {
  const { numTensors, numBytes } = tf.memory()
  const heap = (tf.backend() as { wasm?: { HEAPU8: Uint8Array } }).wasm?.HEAPU8.length
  const gpu = tf.memory() as { numBytesAllocatedInGPU?: number }
  const allocated = heap ?? gpu.numBytesAllocatedInGPU
  return { tensors: numTensors, megabytes: numBytes / 1e6, ...(allocated && { allocated: allocated / 1e6 }) }
}

/** Prints rows below their names. */
export function printTable(rows: readonly Record<string, string | number | undefined>[]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) =>
    names.map((name) => {
      const value = row[name]
      if (typeof value !== 'number') return value ?? ''
      return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0)
    }),
  )
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i].length)))
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
  console.log([names, ...cells].map(line).join('\n'))
}

/** Writes the results of a run. */
export async function writeJson(file: string | undefined, results: object): Promise<void> {
  if (file === undefined) return
  const { writeFile } = await import('node:fs/promises')
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`)
}
