import { DatasetError } from '../dataset-error.js'
import type { SampleFiles } from './encode-sample.js'
import { readShardFiles, type Extent } from './tar-shard.js'

/** Where a sample's files are. Plain data: goes to workers as it is. */
export type SampleLocation =
  /** Parts of one file. */
  | { shard: string; files: Record<string, Extent> }
  /** A shard without an index: it is read as a whole. */
  | { shard: string; key: string }
  /** Files of their own. */
  | { paths: Record<string, string> }

/** Reads a sample's files as they are. Node only.
 *
 * @throws {DatasetError} when a file is missing or shorter than it should be
 */
export async function readSampleFiles(location: SampleLocation): Promise<SampleFiles> {
  if ('paths' in location) return readPaths(location.paths)
  if ('files' in location) return readExtents(location.shard, location.files)
  const files = (await loadShard(location.shard)).get(location.key)
  if (files === undefined)
    throw new DatasetError(`${location.shard}: has lost ${location.key}; open it again`)
  return files
}

async function readPaths(paths: Record<string, string>): Promise<SampleFiles> {
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const files: SampleFiles = new Map()
  for (const [ending, path] of Object.entries(paths)) {
    const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw new DatasetError(`${path}: cannot be read (${cause.code}); label the picture again`, { cause })
    })
    files.set(ending, bytes)
  }
  return files
}

/** A sample's files lie next to each other, so one read gets them all. */
async function readExtents(shard: string, extents: Record<string, Extent>): Promise<SampleFiles> {
  const { open } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const all = Object.values(extents)
  const start = Math.min(...all.map(([offset]) => offset))
  const end = Math.max(...all.map(([offset, length]) => offset + length))
  const file = await open(shard).catch((cause: NodeJS.ErrnoException) => {
    throw new DatasetError(`${shard}: cannot be read (${cause.code})`, { cause })
  })
  try {
    const bytes = new Uint8Array(end - start)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
    if (bytesRead < bytes.length) {
      throw new DatasetError(`${shard}: is truncated at byte ${start + bytesRead}; make it or copy it again`)
    }
    return new Map(
      Object.entries(extents).map(([ending, [offset, length]]) => [
        ending,
        bytes.subarray(offset - start, offset - start + length),
      ]),
    )
  } finally {
    await file.close()
  }
}

/** Shards without an index that are kept in memory. */
const KEPT = 2
const loaded = new Map<string, Promise<Map<string, SampleFiles>>>()

function loadShard(path: string): Promise<Map<string, SampleFiles>> {
  let entry = loaded.get(path)
  if (entry === undefined) {
    entry = readAll(path)
    entry.catch(() => loaded.delete(path))
  }
  // The one that was used last comes last.
  loaded.delete(path)
  loaded.set(path, entry)
  for (const old of loaded.keys()) if (loaded.size > KEPT) loaded.delete(old)
  return entry
}

async function readAll(path: string): Promise<Map<string, SampleFiles>> {
  const all = new Map<string, SampleFiles>()
  for await (const { key, files } of readShardFiles(path)) all.set(key, files)
  return all
}
