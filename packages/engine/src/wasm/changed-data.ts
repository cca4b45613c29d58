import { util } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { forgetPackedFilters } from './packed-filter.js'

/** What the WASM backend keeps of a tensor's data. */
interface WasmData {
  id: number
  memoryOffset: number
  shape: number[]
}

/** Must be called after new numbers were written into the data of a tensor, which tfjs itself never does: what was derived from the old
 * ones (packed filters, ours and XNNPACK's) is dropped. */
export function dataChanged(backend: BackendWasm, dataId: object): void {
  forgetPackedFilters(backend, dataId)
  const { id, memoryOffset, shape } = backend.dataIdMap.get(dataId) as unknown as WasmData
  const { tfjs } = backend.wasm
  // XNNPACK's copies go with the registration; the memory itself stays.
  tfjs.disposeData(id)
  tfjs.registerTensor(id, util.sizeFromShape(shape), memoryOffset)
}
