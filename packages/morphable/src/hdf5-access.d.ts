/** What `describe` says about a dataset. */
export interface Hdf5Description {
  kind: 'dataset' | 'group' | 'other'
  shape?: number[]
  /** Class of the type: 0 whole numbers, 1 floats, 3 texts, ... */
  type?: number
  /** Of one element. */
  bytes?: number
  /** As numpy writes it, e.g. `<f`. */
  dtype?: string
}

export type Hdf5Value = ArrayBufferView | unknown[] | string | number | bigint | boolean | null

export interface Hdf5Access {
  list(path: string): (Hdf5Description & { name: string })[] | undefined
  describe(path: string): Hdf5Description | undefined
  read(path: string, ranges?: (number[] | [])[]): Hdf5Value
  attributes(path: string): Record<string, Hdf5Value>
  close(): void
}

export function openAccess(bytes: Uint8Array): Promise<Hdf5Access>
