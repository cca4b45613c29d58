import type { AdamConstants } from './adam-rule.js'
import { wasmExportsOf } from './wasm-module.js'

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
  const wasm = wasmExportsOf(gradient.buffer)
  if (!wasm) return false
  const [value, m, v] = arrays.map((array) => array.byteOffset)
  wasm.adam(
    gradient.length,
    gradient.byteOffset,
    value,
    m,
    v,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    1 - learningRate * weightDecay,
    learningRate / (1 - power1),
    1 / (1 - power2),
    epsilon,
  )
  return true
}
