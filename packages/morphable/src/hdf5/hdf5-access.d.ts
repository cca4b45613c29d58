/** What `describe` says about a dataset. */
export interface Hdf5Description {
  kind: 'dataset' | 'group' | 'other'
  shape?: number[]
  /** Class of the type: 0 whole numbers, 1 floats, 3 texts, ... */
  type?: number
  /** Of one element. */
  bytes?: number
  /** Of numbers: bits that count; less than `bytes * 8` in some files. */
  precision?: number
  signed?: boolean
}

export type Hdf5Value = ArrayBufferView | unknown[] | string | number | bigint | boolean | null

export interface Hdf5Access {
  list(path: string): (Hdf5Description & { name: string })[] | undefined
  describe(path: string): Hdf5Description | undefined
  read(path: string, ranges?: (number[] | [])[]): Hdf5Value
  attributes(path: string): Record<string, Hdf5Value>
  close(): void
}

/** A file that is read piece by piece; `read` returns how many bytes there were. */
export interface Hdf5Pieces {
  size: number
  read(into: Uint8Array, offset: number, length: number, position: number): number
}

export function openAccess(source: Uint8Array | Hdf5Pieces): Promise<Hdf5Access>
