import type { HostArray } from '@facekit/kernels'
import { wasmBackendOf, wasmExports } from './wasm-module.js'

/** The gradient of a relu (see activation-gradient.ts) in SIMD, if the arrays lie in the memory of the WASM backend.
 *
 * @returns whether they do
 */
export function reluGradientOnWasm(dy: HostArray, y: HostArray, result: HostArray, limit: number): boolean {
  const backend = wasmBackendOf(y.buffer)
  if (!backend || wasmBackendOf(dy.buffer) !== backend) return false
  wasmExports(backend).reluGradient(y.length, dy.byteOffset, y.byteOffset, limit, result.byteOffset)
  return true
}
