import type { ReconstructProgress } from '../options.js'
import type { FaceWork } from '../stages/face-work.js'

/** To the worker. */
export type Request =
  | { id: number; method: keyof FaceWork; args: unknown[] }
  /** Stop the call of that number. */
  | { id: number; abort: true }

/** From the worker. */
export type Response =
  | { id: number; result: unknown }
  | { id: number; error: ErrorData }
  | { id: number; progress: ReconstructProgress }

/** An error on its way between two threads. */
export interface ErrorData {
  name: string
  message: string
  stack?: string
}

/** Buffers and bitmaps that can be handed over instead of being copied. */
export function transferable(value: unknown, found: Transferable[] = []): Transferable[] {
  if (typeof value !== 'object' || value === null) return found
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && !found.includes(value.buffer)) found.push(value.buffer)
  } else if (typeof ImageBitmap !== 'undefined' && value instanceof ImageBitmap) found.push(value)
  else if (!(typeof Blob !== 'undefined' && value instanceof Blob))
    for (const part of Object.values(value)) transferable(part, found)
  return found
}
