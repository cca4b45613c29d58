/** Adds numbers up over the processes of a run. */
export interface GradientReducer {
  /** From 0; the process of rank 0 writes files. */
  readonly rank: number
  /** How many processes there are. */
  readonly size: number
  /** Replaces each number by its sum over all processes. */
  allReduce(values: Float32Array | Float64Array): Promise<void>
  /** The same synchronously, for what happens inside of an operation. */
  allReduceSync(values: Float32Array | Float64Array): void
  /** Puts the parts of all processes, of the same length each, in the order of their ranks one after the other into `all`; the own part may lie there already. With it gradients in mixed precision are
   * exchanged as halves, in pieces, while the GPU computes. */
  allGather?(part: Uint8Array, all: Uint8Array): Promise<void>
  /** Ends all processes of the run; does not return where it can. */
  abort(message: string): void
  /** Leaves the run in order. */
  close(): void
}
