import type { AdamConstants } from '../optimizers/adam-constants.js'
import { wasmBackendOf, wasmExports } from './wasm-module.js'
import { memoryParts, shareTasks } from './threads.js'

/** A step of Adam in place, in SIMD, if the arrays lie in the memory of the WASM backend.
 *
 * @param arrays - value, first and second moment
 * @returns whether they do
 */
export function adamOnWasm(
  gradient: Float32Array,
  arrays: readonly [Float32Array, Float32Array, Float32Array],
  { beta1, beta2, epsilon, learningRate, weightDecay, power1, power2 }: AdamConstants,
): boolean {
  const backend = wasmBackendOf(gradient.buffer)
  if (!backend) return false
  const count = gradient.length
  const addresses = [gradient, ...arrays].map((array) => array.byteOffset)
  const numbers = [
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    1 - learningRate * weightDecay,
    learningRate / (1 - power1),
    1 / (1 - power2),
    epsilon,
  ]
  const parts = memoryParts(backend, count)
  if (parts === 1) {
    wasmExports(backend).adam(count, ...addresses, ...numbers)
    return true
  }
  const atOnce = Math.ceil(count / parts / 4) * 4
  shareTasks(backend, 'adam', Math.ceil(count / atOnce), 0, [count, ...addresses, atOnce], numbers)
  return true
}
