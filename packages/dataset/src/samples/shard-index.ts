import { readRegularFile, showValue, writeFileAtomic } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import type { Extent } from './list-tar.js'
import { listShard } from './tar-shard.js'

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
  const { stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const path = indexPath(shard)
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new DatasetError(`${path}: cannot be read (${error.code})`, { cause: error })
  })
  if (bytes === undefined) return undefined
  const index = parseIndex(new TextDecoder().decode(bytes), path)
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

/** Sees that a shard is what its index says: there, of its length, with these files at these places. Reads the headers of the tar file only. Node only.
 *
 * @returns the keys of its samples
 * @throws {DatasetError} when the tar file or its index is missing, cut, or does not fit the other
 */
export async function verifyShard(shard: string): Promise<string[]> {
  const index = await readShardIndex(shard)
  if (!index) throw new DatasetError(`${shard}: has no index, expected ${indexPath(shard)}`)
  const found = new Map((await listShard(shard)).map(({ key, files }) => [key, files]))
  for (const { key, files } of index.samples) {
    for (const [ending, extent] of Object.entries(files)) {
      if (found.get(key)?.[ending]?.join() === extent.join()) continue
      throw new DatasetError(
        `${shard}: ${key}.${ending} is not where its index says; make it or copy it again`,
      )
    }
  }
  return index.samples.map(({ key }) => key)
}

/** Reads the text of an index, and believes nothing.
 *
 * @throws {DatasetError} when it is damaged, or of another version
 */
export function parseIndex(text: string, path: string): ShardIndex {
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
    return fail(
      `holds ${showValue(root?.format)} ${showValue(root?.version)}, expected ${showValue(FORMAT)} 1`,
    )
  }
  const { bytes, pictures = 0, skipped = [], samples } = root
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!whole(bytes) || !whole(pictures) || !Array.isArray(skipped) || !Array.isArray(samples)) {
    return fail('is incomplete')
  }
  if (!skipped.every(isSkipped)) return fail('lists a skipped picture that is none')
  for (const sample of samples) {
    if (!isSampleHead(sample)) return fail(`holds ${showValue(sample)}, expected a sample`)
    const { key, files } = sample as { key: string; files?: unknown }
    const extents: unknown[] = typeof files === 'object' && files !== null ? Object.values(files) : []
    const inside = extents.every(
      (extent): extent is Extent =>
        Array.isArray(extent) && extent.length === 2 && extent.every(whole) && extent[0] + extent[1] <= bytes,
    )
    // Files that share bytes would together take more memory than the shard has.
    const length = inside ? (extents as Extent[]).reduce((sum, extent) => sum + extent[1], 0) : Infinity
    if (extents.length === 0 || length > bytes) {
      return fail(`the sample ${showValue(key)} lies outside of the shard`)
    }
  }
  return { bytes, pictures, skipped, samples }
}

const isSkipped = (value: unknown): value is SkippedPicture => {
  const { picture, reason, empty } = (value ?? {}) as Record<keyof SkippedPicture, unknown>
  return typeof picture === 'string' && typeof reason === 'string' && typeof empty === 'boolean'
}

/** Whether a value from a file has what is known of a sample before it is read. */
export function isSampleHead(value: unknown): value is Omit<IndexedSample, 'files'> {
  if (typeof value !== 'object' || value === null) return false
  const { key, identity, picture, quality } = value as Record<keyof IndexedSample, unknown>
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  return (
    typeof key === 'string' &&
    isText(identity) &&
    isText(picture) &&
    (quality === undefined || (typeof quality === 'number' && Number.isFinite(quality)))
  )
}
