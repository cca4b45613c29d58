import type { BackendName } from '@facekit/engine'

/** What `--backend auto` chooses from. Not webgpu: a process that fits one photograph would spend its time compiling shaders. Once they
 * are compiled, the 60 steps of a fit take 1.0 s on an H100; on WASM and two cores they take about 3 s from the start. */
export const autoBackends: readonly BackendName[] = ['tensorflow', 'wasm', 'cpu']
