/** What a binding is made of, one load of a kernel: neighbours along the last axis. */
export interface GpuElement {
  /** In WGSL. */
  type: string
  /** Numbers in it. */
  width: 4 | 8
  /** Logarithm of that. */
  shift: 2 | 3
}

/** Four numbers of 32 bits. */
export const FLOATS: GpuElement = { type: 'vec4<f32>', width: 4, shift: 2 }

/** Eight numbers of 16 bits, as matrix units take them: see `wgslHalves`. */
export const HALVES: GpuElement = { type: 'half8', width: 8, shift: 3 }
