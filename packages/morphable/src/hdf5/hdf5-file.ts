import { ModelFormatError } from '@facekit/core'
import type { Hdf5Access, Hdf5Description, Hdf5Value } from './hdf5-access.js'
import { connectHdf5, type Hdf5Options } from './hdf5-connection.js'
import { memoryLimit } from '../readers/memory-limit.js'
import type { ModelSource } from '../readers/model-source.js'

/** Numbers that are read at once: 8 MB. */
const BLOCK = 2_000_000
/** Most numbers that a dataset may have: about ten times the largest of the largest public model. */
const LARGEST = 400_000_000

type Asynchronous = {
  [K in keyof Hdf5Access]: (...args: Parameters<Hdf5Access[K]>) => Promise<ReturnType<Hdf5Access[K]>>
}

/** An HDF5 file that is open for reading: datasets are checked before memory is taken for them. */
export class Hdf5File {
  /** Begins the messages. */
  readonly who: string
  readonly #access: Asynchronous
  readonly #size: number

  private constructor(access: Asynchronous, size: number, who: string) {
    this.#access = access
    this.#size = size
    this.who = who
  }

  /** Opens a file, gives it to `work`, and closes it.
   *
   * @throws {ModelFormatError} when it is no HDF5 file, or damaged; and whatever `work` throws
   */
  static async use<T>(
    source: ModelSource,
    who: string,
    options: Hdf5Options,
    work: (file: Hdf5File) => Promise<T>,
  ): Promise<T> {
    const { access, size, close } = await connectHdf5(source, who, options)
    try {
      return await work(new Hdf5File(access as Asynchronous, size, who))
    } finally {
      await close()
    }
  }

  /** Members of a group; undefined where there is none. */
  list(path: string): Promise<(Hdf5Description & { name: string })[] | undefined> {
    return this.#access.list(path)
  }

  describe(path: string): Promise<Hdf5Description | undefined> {
    return this.#access.describe(path)
  }

  attributes(path: string): Promise<Record<string, Hdf5Value>> {
    return this.#access.attributes(path)
  }

  /** Shape of a dataset of numbers.
   *
   * @param expected - what is expected there, for the message: `"[3N] floats"`
   * @throws {ModelFormatError} that names the dataset and what is there instead
   */
  async shapeOf(path: string, expected: string): Promise<number[]> {
    const found = await this.describe(path)
    if (found?.kind !== 'dataset') return this.missing(path, expected, found?.kind)
    const { shape = [], type, bytes = 4 } = found
    if (type !== 0 && type !== 1) {
      return this.fail(`${path} holds ${typeName(found)}, expected ${expected}`)
    }
    const count = shape.reduce((product, size) => product * size, 1)
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count > LARGEST) {
      return this.fail(
        `${path} is [${shape.join(', ')}], expected ${expected} and at most ${LARGEST} numbers; the file is damaged`,
      )
    }
    if (count * Math.max(4, bytes) > memoryLimit(this.#size)) {
      return this.fail(
        `${path} is [${shape.join(', ')}], which a file of ${this.#size} bytes cannot hold; the file is damaged`,
      )
    }
    return shape
  }

  /** Numbers of a dataset in blocks of whole rows.
   *
   * @param shape - of `shapeOf`, one or two dimensions
   * @param visit - gets each block, row-major, and its first row
   */
  async readBlocks(
    path: string,
    shape: readonly number[],
    visit: (block: ArrayLike<number>, firstRow: number) => void,
  ): Promise<void> {
    const [rows, width = 1] = shape
    const step = Math.max(1, Math.floor(BLOCK / Math.max(1, width)))
    const read = (row: number) => {
      const end = Math.min(rows, row + step)
      const block = this.#access.read(
        path,
        shape.map((size, axis) => (axis === 0 ? [row, end] : [0, size])),
      )
      // Whoever awaits it gets the failure; while the block before is visited, nobody does.
      block.catch(() => {})
      return block
    }
    // The next block is read while this one is visited: in a worker, at the same time.
    for (let row = 0, next = rows > 0 ? read(0) : undefined; row < rows; row += step) {
      const block = await next!
      next = row + step < rows ? read(row + step) : undefined
      if (!isNumbers(block) || block.length !== (Math.min(rows, row + step) - row) * width) {
        this.fail(`${path} cannot be read from row ${row}; the file is truncated or damaged`)
      }
      visit(block as ArrayLike<number>, row)
    }
  }

  /** All numbers of a dataset of one or two dimensions. */
  async numbers(path: string, expected: string): Promise<{ data: Float32Array; shape: number[] }> {
    const shape = await this.shapeOf(path, expected)
    if (shape.length === 0 || shape.length > 2) {
      this.fail(`${path} is [${shape.join(', ')}], expected ${expected}`)
    }
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
    const width = shape[1] ?? 1
    await this.readBlocks(path, shape, (block, row) => {
      for (let i = 0; i < block.length; i++) data[row * width + i] = Number(block[i])
    })
    return { data, shape }
  }

  /** One number: a scalar, or an array of length 1; undefined where there is none. Whole numbers beyond 2^53 lose their last digits. */
  async number(path: string): Promise<number | undefined> {
    const value = await this.scalar(path)
    return value === undefined ? undefined : Number(value)
  }

  /** As `number`, with whole numbers of 64 bits exact. */
  async scalar(path: string): Promise<number | bigint | undefined> {
    const found = await this.describe(path)
    if (found?.kind !== 'dataset' || (found.type !== 0 && found.type !== 1)) return undefined
    if ((found.shape ?? []).some((size) => size !== 1)) return undefined
    const value = await this.#access.read(path)
    const first = typeof value === 'object' && value !== null ? (value as ArrayLike<unknown>)[0] : value
    return typeof first === 'number' || typeof first === 'bigint' ? first : undefined
  }

  /** One text: a scalar, or an array of length 1; undefined where there is none. */
  async text(path: string): Promise<string | undefined> {
    const found = await this.describe(path)
    if (found?.kind !== 'dataset' || found.type !== 3 || (found.bytes ?? 0) > this.#size) return undefined
    if ((found.shape ?? []).some((size) => size !== 1)) return undefined
    const value = await this.#access.read(path)
    const first: unknown = Array.isArray(value) ? value[0] : value
    // Texts of fixed length are filled up with zeros.
    // eslint-disable-next-line no-control-regex
    return typeof first === 'string' ? first.replace(/\u0000+$/, '') : undefined
  }

  async missing(path: string, expected: string, kind?: string): Promise<never> {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/'
    const members = await this.list(parent)
    const there = kind
      ? `is a ${kind}`
      : members
        ? `is missing (${parent} holds ${
            members
              .map(({ name }) => name)
              .slice(0, 12)
              .join(', ') || 'nothing'
          })`
        : `is missing (there is no group ${parent})`
    return this.fail(`dataset ${path} ${there}, expected ${expected}; is it the right file?`)
  }

  fail(what: string): never {
    throw new ModelFormatError(`${this.who}: ${what}`)
  }
}

function isNumbers(value: Hdf5Value): value is Float32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

/** A type in words. */
export function typeName({ type, bytes = 0, precision = bytes * 8, signed }: Hdf5Description): string {
  if (type === 0) return `${signed ? 'int' : 'uint'}${precision}`
  if (type === 1) return `float${precision}`
  if (type === 3) return 'text'
  return 'a type that is neither number nor text'
}
