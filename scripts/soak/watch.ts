import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'

/** What a process holds. */
interface Sample {
  done: number
  tensors: number
  tensorBytes: number
  /** Resident memory, bytes. */
  memory: number
  /** Open files, sockets and pipes; 0 where the system does not list them. */
  handles: number
  /** Entries of the temporary folder, which is this process's own. */
  files: number
}

/** How often is looked, over the whole run. */
const SAMPLES = 20
/** Memory at the end may be so much above that after the first quarter: allocators do not give back all, and the collector is late. */
const GROWTH = 1.15

/** Looks at this process from time to time, and finds what grows. */
export class Watch {
  /** How often the work is done. */
  done = 0
  readonly #samples: Sample[] = []
  readonly #problems: string[] = []
  readonly #every: number

  constructor(count: number) {
    this.#every = Math.max(1, Math.floor(count / SAMPLES))
  }

  /** Called whenever the work is done once more. */
  step(): void {
    this.done++
    if (this.done % this.#every !== 0) return
    const { numTensors, numBytes } = tf.memory()
    const sample: Sample = {
      done: this.done,
      tensors: numTensors,
      tensorBytes: numBytes,
      memory: process.memoryUsage.rss(),
      handles: openHandles(),
      files: readdirSync(tmpdir()).length,
    }
    this.#samples.push(sample)
    const { done, tensors, tensorBytes, memory, handles, files } = sample
    console.log(
      `${done}: ${tensors} tensors of ${mebibytes(tensorBytes)} MiB, process ${mebibytes(memory)} MiB, ${handles} handles, ${files} temporary files`,
    )
  }

  /** Notes something that is wrong. */
  fail(problem: string): void {
    this.#problems.push(problem)
  }

  /** What was wrong, and what has grown since the first quarter. */
  problems(): string[] {
    const problems = [...this.#problems]
    const settled = this.#samples.slice(Math.ceil(this.#samples.length / 4))
    if (settled.length < 2) return problems
    const [first, last] = [settled[0], settled.at(-1)!]
    for (const name of ['tensors', 'tensorBytes', 'handles', 'files'] as const) {
      if (last[name] > first[name]) problems.push(`${name} grew from ${first[name]} to ${last[name]}`)
    }
    if (last.memory > GROWTH * first.memory)
      problems.push(`memory grew from ${mebibytes(first.memory)} to ${mebibytes(last.memory)} MiB`)
    return problems
  }
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

function openHandles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
