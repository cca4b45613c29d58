import type { BackendName } from '@facekit/engine'

/** What `--backend auto` chooses from. Not webgpu: the fit of one photograph is thousands of small operations, and issuing them
 * costs more than computing them. On an H100 a step took 390 ms, on WASM and one core 50 ms. */
export const autoBackends: readonly BackendName[] = ['tensorflow', 'wasm', 'cpu']
