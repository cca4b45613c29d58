import { defineKernel, float32 } from '@facekit/kernels'
import { concat, gather, slice, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import type { Tensor4D } from '@tensorflow/tfjs-core'
import { joinArrays, pickArrays, takeArrays } from './cpu/channels.js'

const takeKernel = defineKernel({
  name: 'FacekitTakeChannels',
  inputs: { x: 'float32' },
  outputs: ({ x: [batch, height, width] }, { count }: { first: number; count: number }) => ({
    part: float32([batch, height, width, count]),
  }),
  cpu: ({ x }, { part }, { x: shape }, { first, count }) => takeArrays(x, part, shape[3], first, count),
  operations: ({ x }, { first, count }) => slice(x, [0, 0, 0, first], [-1, -1, -1, count]),
})

/** Some channels of a picture. */
export const takeChannels = (x: Tensor4D, first: number, count: number): Tensor4D =>
  takeKernel({ x }, { first, count })

const joinKernel = defineKernel({
  name: 'FacekitJoinChannels',
  inputs: { a: 'float32', b: 'float32', c: 'float32?', d: 'float32?' },
  outputs: ({ a, b, c, d }) => {
    const width = [a, b, c, d].reduce((sum, shape) => sum + (shape?.at(-1) ?? 0), 0)
    return { joined: float32([...a.slice(0, -1), width]) }
  },
  cpu({ a, b, c, d }, { joined }, shapes) {
    const parts = [a, b, c, d].filter((part) => part !== undefined)
    const widths = [shapes.a, shapes.b, shapes.c, shapes.d].flatMap((shape) => shape?.at(-1) ?? [])
    joinArrays(parts, widths, joined)
  },
  operations: ({ a, b, c, d }) =>
    concat(
      [a, b, c, d].filter((part) => part !== undefined),
      -1,
    ),
})

/** Puts up to four tensors side by side along the last axis; all else of their shapes is the same. */
export const joinChannels = <T extends Tensor3D | Tensor4D>(
  ...[a, b, c, d]: [a: Tensor, b: Tensor, c?: Tensor, d?: Tensor]
): T => joinKernel({ a, b, c, d }) as T

const pickKernel = defineKernel({
  name: 'FacekitPickRows',
  inputs: { table: 'float32', rows: 'int32' },
  outputs: ({ table: [, channels], rows: [batch, height, width] }) => ({
    picked: float32([batch, height, width, channels]),
  }),
  cpu: ({ table, rows }, { picked }, { table: [, width] }) => pickArrays(table, rows, width, picked),
  operations: ({ table, rows }) => gather(table, rows as Tensor3D),
})

/** Rows of a table by their numbers: `[F, C]` and int32 `[B, S, S]` to `[B, S, S, C]`. */
export const pickRows = (table: Tensor2D, rows: Tensor3D): Tensor4D => pickKernel({ table, rows })
