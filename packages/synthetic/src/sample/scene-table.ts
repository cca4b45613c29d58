import { slice, tensor2d, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core'

/** Widths of named columns. */
export type Widths = Readonly<Record<string, number>>

/** Numbers of one picture by name, each as long as its width. */
export type Row<W extends Widths> = { [Name in keyof W]: ArrayLike<number> }

/** Tensors `[B, width]` by the names of the sampled numbers. */
export type Sampled<Samples> = { [Name in keyof Samples]: Tensor2D }

/** What was sampled for a batch, in one tensor, so that one upload brings it to the GPU. */
export interface SampleTable<W extends Widths> {
  /** `[B, R]` */
  pack(rows: readonly Row<W>[]): Tensor2D
  /** Columns by name, `[B, width]` each. */
  unpack(table: Tensor2D): { [Name in keyof W]: Tensor2D }
}

/** Lays named columns out side by side. */
export function createSampleTable<W extends Widths>(widths: W): SampleTable<W> {
  const names: (keyof W & string)[] = Object.keys(widths)
  const starts: number[] = []
  let total = 0
  for (const name of names) {
    starts.push(total)
    total += widths[name]
  }
  return {
    pack(rows) {
      const values = new Float32Array(rows.length * total)
      rows.forEach((row, b) => {
        names.forEach((name, i) => {
          const part = row[name]
          if (part.length !== widths[name]) {
            throw new RangeError(`SampleTable: ${name} has ${part.length} numbers, expected ${widths[name]}`)
          }
          for (let k = 0; k < part.length; k++) values[b * total + starts[i] + k] = part[k]
        })
      })
      return tensor2d(values, [rows.length, total])
    },
    unpack(table) {
      const columns = names.map((name, i): [string, Tensor] => [
        name,
        slice(table, [0, starts[i]], [-1, widths[name]]),
      ])
      return Object.fromEntries(columns) as { [Name in keyof W]: Tensor2D }
    },
  }
}
