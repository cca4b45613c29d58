import { writeFileAtomic } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import type { Extent } from './list-tar.js'

/** One sample of a shard. */
export interface IndexedSample {
  key: string
  identity?: string
  /** The picture that it is from; samples of one picture belong together. */
  picture?: string
  /** The least of its `quality` values. */
  quality?: number
  files: Record<string, Extent>
}

/** A picture that gave no sample. */
export interface SkippedPicture {
  picture: string
  /** Why. */
  reason: string
  /** True when it holds no face; false when it could not be read or labelled. */
  empty: boolean
}

/** What lies where in a shard; the file `name.index.json` beside `name.tar`. Once it is there, the shard is whole. */
export interface ShardIndex {
  /** Length of the shard. */
  bytes: number
  /** How many pictures went into it; 0 when it was not made of pictures. */
  pictures: number
  skipped: SkippedPicture[]
  samples: IndexedSample[]
}

const FORMAT = 'facekit-shard'

/** Path of the index of a shard. */
export const indexPath = (shard: string): string => shard.replace(/\.tar$/i, '.index.json')

/** Writes the index of a shard, atomically. Node only. */
export async function writeShardIndex(shard: string, index: ShardIndex): Promise<void> {
  const { samples, ...head } = index
  // A line a sample: to be looked at, and compared.
  const lines = samples.map((sample) => JSON.stringify(sample)).join(',\n')
  const start = JSON.stringify({ format: FORMAT, version: 1, ...head }).slice(0, -1)
  await writeFileAtomic(indexPath(shard), `${start},"samples":[\n${lines}\n]}\n`)
}

/** Reads the index of a shard; nothing when it has none. Node only.
 *
 * @throws {DatasetError} when it is damaged, of another version, or does not fit the shard
 */
export async function readShardIndex(shard: string): Promise<ShardIndex | undefined> {
  const { readFile, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const path = indexPath(shard)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new DatasetError(`${path}: cannot be read (${error.code})`, { cause: error })
  })
  if (text === undefined) return undefined
  const index = parse(text, path)
  const size = await stat(shard).then(
    (info) => info.size,
    () => 0,
  )
  if (size !== index.bytes) {
    throw new DatasetError(
      `${shard}: has ${size} bytes, expected ${index.bytes} by its index; make it or copy it again`,
    )
  }
  return index
}

function parse(text: string, path: string): ShardIndex {
  const fail = (reason: string): never => {
    throw new DatasetError(`${path}: ${reason}; delete it, or make the shard again`)
  }
  let root: Partial<ShardIndex> & { format?: unknown; version?: unknown }
  try {
    root = JSON.parse(text) as typeof root
  } catch {
    return fail('is no JSON')
  }
  if (root?.format !== FORMAT || root.version !== 1) {
    return fail(`holds "${String(root?.format)} ${String(root?.version)}", expected "${FORMAT} 1"`)
  }
  const { bytes, pictures = 0, skipped = [], samples } = root
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!whole(bytes) || !whole(pictures) || !Array.isArray(skipped) || !Array.isArray(samples)) {
    return fail('is incomplete')
  }
  for (const { key, files } of samples) {
    const extents = Object.values(files ?? {})
    const inside = extents.every(
      (extent) => Array.isArray(extent) && extent.every(whole) && extent[0] + extent[1] <= bytes,
    )
    if (typeof key !== 'string' || extents.length === 0 || !inside) {
      return fail(`the sample ${JSON.stringify(key)} lies outside of the shard`)
    }
  }
  return { bytes, pictures, skipped, samples }
}
