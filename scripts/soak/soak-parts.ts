import { createRequire } from 'node:module'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { readPicture } from '@facekit/annotate'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type { SoakOptions } from './soak-reconstructions.js'
import type { Watch } from './watch.js'

/** More threads than most machines have processors: they are put to sleep in the middle of their work. */
const THREADS = 16
/** Convolutions of so many kinds, one after the other, are one step. */
const KINDS = 24

/** Convolutions shared by 16 threads, in memory that grows meanwhile: each result the same to the bit as the first of its kind. */
export async function soakKernels(
  count: number,
  watch: Watch,
  { deadline, seed }: SoakOptions,
): Promise<void> {
  await initEngine({ backend: 'wasm', threads: THREADS })
  const random = createRandom(seed)
  const whole = (from: number, to: number) => from + Math.floor(random.uniform() * (to - from))
  const kinds = Array.from({ length: KINDS }, (_, i) => ({
    picture: tf.randomUniform(
      [1, whole(8, 64), whole(8, 64), whole(1, 48)],
      -1,
      1,
      'float32',
      i,
    ) as tf.Tensor4D,
    outputs: whole(1, 64),
    size: whole(1, 4),
    strides: whole(1, 3),
    first: undefined as number | undefined,
  }))
  for (let step = 0; step < count && performance.now() < deadline; step++) {
    for (const [i, kind] of kinds.entries()) {
      const { picture, outputs, size, strides } = kind
      const hash = tf.tidy(() => {
        // A new filter each time, as in training: it is packed anew.
        const filter = tf.randomUniform([size, size, picture.shape[3], outputs], -1, 1, 'float32', i)
        return hashOf(tf.conv2d(picture, filter as tf.Tensor4D, strides, 'same').dataSync())
      })
      if (hash !== (kind.first ??= hash)) watch.fail(`step ${step}: convolution ${i} differs from its first`)
    }
    // The memory grows through the first fifth, up to 128 MiB at once, and is then enough.
    if (step % 64 === 0) tf.zeros([1 + Math.floor(Math.min(1, (5 * step) / count) * (32 << 20))]).dispose()
    // Messages of the threads, and what the collector does in its own time, have a turn.
    if (step % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
    watch.step()
  }
}

function hashOf(data: ArrayLike<number>): number {
  const bits = new Int32Array(Float32Array.from(data).buffer)
  let hash = 0
  for (const word of bits) hash = (Math.imul(hash, 31) + word) | 0
  return hash
}

/** A photograph, decoded by several threads at a time. */
export async function soakPictures(count: number, watch: Watch, { deadline }: SoakOptions): Promise<void> {
  // What it holds is looked at, though none of it is needed.
  await initEngine({ backend: 'wasm', threads: 1 })
  const bytes = await readFile(
    createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg'),
  )
  let first: number | undefined
  let begun = 0
  const next = async () => {
    while (begun++ < count && performance.now() < deadline) {
      const { data } = await readPicture(new Uint8Array(bytes))
      let hash = 0
      for (const value of data) hash = (Math.imul(hash, 31) + value) | 0
      if (hash !== (first ??= hash)) watch.fail(`picture ${watch.done} differs from the first`)
      watch.step()
    }
  }
  await Promise.all(Array.from({ length: 4 }, next))
}

/** Processes that start 16 threads, compute a little and end: each well. */
export async function soakProcesses(count: number, watch: Watch, { deadline }: SoakOptions): Promise<void> {
  await initEngine({ backend: 'wasm', threads: 1 })
  for (let i = 0; i < count && performance.now() < deadline; i++) {
    // At another moment each time, as what is compiled in the background goes on meanwhile.
    const argv = [...process.execArgv, process.argv[1], '--count', `${1 + (i % 40)}`, 'kernels']
    const ending = await new Promise<string>((resolve, reject) => {
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(`${signal ?? code}`))
    })
    if (ending !== '0') watch.fail(`process ${i} ended with ${ending}`)
    watch.step()
  }
}
