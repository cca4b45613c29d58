import * as tf from '@tensorflow/tfjs-core'

/** Runs a function twice and checks that the second run leaves no tensor behind (the first may fill caches).
 *
 * The function must dispose what it returns.
 * @throws {Error} that says how many tensors were left
 */
export async function expectNoLeak(f: () => unknown): Promise<void> {
  await f()
  const before = tf.memory().numTensors
  await f()
  const left = tf.memory().numTensors - before
  if (left !== 0) throw new Error(`expectNoLeak: ${left} tensors were left behind`)
}
