import {
  add,
  conv2d,
  dispose,
  fill,
  matMul,
  slice,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'

/** How fast a backend computes. */
export interface BackendSpeed {
  /** Product of two square matrices, GFLOP/s. */
  matMul: number
  /** Convolution of 3 x 3, 64 to 64 channels, GFLOP/s. */
  conv2d: number
  /** Sum of two tensors, GB/s: read, read and written. */
  add: number
}

/** A measurement is repeated until it takes this long. */
const SHORTEST_RUN = 20

/** Largest sides of the matrices: what a GPU needs to be busy. */
const LARGEST_SIDE = 2048

/** Measures the current backend: how it multiplies, convolves and adds. Takes the fastest of several runs.
 *
 * @param milliseconds - about how long it takes; a slow GPU also compiles
 */
export async function measureBackend(milliseconds = 2000): Promise<BackendSpeed> {
  const share = milliseconds / 3
  let side = 64
  let product = await measure(0, () => square(side))
  while (side < LARGEST_SIDE && product < SHORTEST_RUN / 8) {
    side *= 2
    product = await measure(0, () => square(side))
  }
  const speedOfProduct = (2 * side ** 3) / (await measure(share, () => square(side))) / 1e6
  // A size that takes about as long.
  const work = Math.max(1e6, speedOfProduct * 1e6 * SHORTEST_RUN)
  const pixels = Math.min(32 * 56 * 56, work / (2 * 9 * 64 * 64))
  const height = Math.max(7, Math.min(56, Math.floor(Math.sqrt(pixels))))
  const batch = Math.max(1, Math.floor(pixels / height ** 2))
  const convolution = await measure(share, () => {
    const x = fill<Tensor4D['rankType']>([batch, height, height, 64], 0.1)
    const filter = fill<Tensor4D['rankType']>([3, 3, 64, 64], 0.1)
    return { inputs: [x, filter], run: () => conv2d(x, filter, 1, 'same') }
  })
  const numbers = speedOfProduct > 500 ? 1 << 24 : 1 << 22
  const sum = await measure(share, () => {
    const [a, b] = [fill([numbers], 1), fill([numbers], 2)]
    return { inputs: [a, b], run: () => add(a, b) }
  })
  const convolved = 2 * batch * height ** 2 * 9 * 64 * 64
  return { matMul: speedOfProduct, conv2d: convolved / convolution / 1e6, add: (numbers * 12) / sum / 1e6 }
}

interface Work {
  inputs: Tensor[]
  run: () => Tensor
}

function square(side: number): Work {
  const a = fill([side, side], 0.1) as Tensor2D
  return { inputs: [a], run: () => matMul(a, a) }
}

/** Milliseconds that a run takes; once warm, the fastest of those that fit into the time given. */
async function measure(milliseconds: number, prepare: () => Work): Promise<number> {
  const { inputs, run } = prepare()
  // A GPU is asked for several results at a time: else one would measure the asking.
  const time = async (count: number) => {
    const start = performance.now()
    for (let i = 0; i < count - 1; i++) run().dispose()
    const last = tidy(() => {
      const result = run()
      return slice(
        result,
        result.shape.map(() => 0),
        result.shape.map(() => 1),
      )
    })
    await last.data()
    last.dispose()
    return (performance.now() - start) / count
  }
  const start = performance.now()
  await time(1)
  let best = await time(1)
  let count = 1
  while (performance.now() - start < milliseconds) {
    if (best * count < SHORTEST_RUN) count *= 2
    best = Math.min(best, await time(count))
  }
  dispose(inputs)
  return best
}
