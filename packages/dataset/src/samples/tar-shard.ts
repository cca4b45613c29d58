import { DatasetError } from '../dataset-error.js'
import { damaged } from './damaged-shard.js'
import { assertKey, type SampleFiles } from './encode-sample.js'
import { listTar, type Extent } from './list-tar.js'

/** A shard in memory, and where its samples' files are. */
export interface PackedShard {
  bytes: Uint8Array
  samples: { key: string; files: Record<string, Extent> }[]
}

const BLOCK = 512

/** Packs samples into one tar file in the WebDataset layout: `key.ending`, the files of a sample next to each other.
 *
 * No times or users are written: the same samples give the same bytes.
 *
 * @throws {ValueError} for a bad key
 */
export async function packShard(
  samples: Iterable<{ key: string; files: SampleFiles }>,
): Promise<PackedShard> {
  const { pack } = await import('tar-stream')
  const archive = pack()
  const chunks: Uint8Array[] = []
  const packed: PackedShard['samples'] = []
  let offset = 0
  const reading = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Uint8Array)
  })()
  for (const { key, files } of samples) {
    assertKey('packShard', key)
    const extents: Record<string, Extent> = {}
    for (const [ending, bytes] of files) {
      // Names this short and plain take exactly one block before the content.
      extents[ending] = [offset + BLOCK, bytes.length]
      const header = { name: `${key}.${ending}`, size: bytes.length, mtime: new Date(0), mode: 0o644 }
      await new Promise<void>((resolve, reject) => {
        archive.entry(header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) =>
          error ? reject(error) : resolve(),
        )
      })
      offset += BLOCK + Math.ceil(bytes.length / BLOCK) * BLOCK
    }
    packed.push({ key, files: extents })
  }
  archive.finalize()
  await reading
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let end = 0
  for (const chunk of chunks) {
    bytes.set(chunk, end)
    end += chunk.length
  }
  return { bytes, samples: packed }
}

/** Largest file of a sample, in bytes. */
export const LARGEST_FILE = 64 * 2 ** 20

/** Finds the samples of a tar file in the WebDataset layout, and where their files lie: files of one name up to its first dot belong together,
 * in whichever order they lie. Node only.
 *
 * Folders and other entries that are no files are skipped.
 *
 * @throws {DatasetError} when it is missing, truncated, no tar file, or has a file larger than 64 MB
 */
export async function listShard(path: string): Promise<PackedShard['samples']> {
  const file = await openShard(path)
  try {
    const samples = new Map<string, Record<string, Extent>>()
    for (const { name, extent } of await listTar(path, file)) {
      if (extent[1] > LARGEST_FILE)
        throw damaged(path, `${name} has ${extent[1]} bytes, expected at most ${LARGEST_FILE}`)
      const { key, ending } = splitName(name)
      // Without a prototype: names come from the file.
      const files = samples.get(key) ?? (Object.create(null) as Record<string, Extent>)
      // Of a name that was packed twice the last one counts, as for tar.
      files[ending] = extent
      samples.set(key, files)
    }
    return Array.from(samples, ([key, files]) => ({ key, files }))
  } finally {
    await file.close()
  }
}

/** Reads files of a shard. Node only.
 *
 * @throws {DatasetError} when it is missing or truncated
 */
export async function readExtents(path: string, extents: Record<string, Extent>): Promise<SampleFiles> {
  const file = await openShard(path)
  try {
    const read = async ([offset, length]: Extent): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length)
      const { bytesRead } = await file.read(bytes, 0, length, offset)
      if (bytesRead === length) return bytes
      throw new DatasetError(`${path}: is truncated at byte ${offset + bytesRead}; make it or copy it again`)
    }
    const [start, end] = spanOf(Object.values(extents))
    const total = Object.values(extents).reduce((sum, [, length]) => sum + length, 0)
    const files: SampleFiles = new Map()
    // The files of a sample usually lie next to each other: then one read gets them all.
    const whole = end - start <= 2 * total + 4096 ? await read([start, end - start]) : undefined
    for (const [ending, extent] of Object.entries(extents)) {
      const [offset, length] = extent
      files.set(ending, whole ? whole.subarray(offset - start, offset - start + length) : await read(extent))
    }
    return files
  } finally {
    await file.close()
  }
}

function spanOf(extents: readonly Extent[]): [start: number, end: number] {
  let [start, end] = [Infinity, 0]
  for (const [offset, length] of extents) {
    start = Math.min(start, offset)
    end = Math.max(end, offset + length)
  }
  return [start, end]
}

async function openShard(path: string) {
  const { open, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const info = await stat(path).catch(() => undefined)
  if (info !== undefined && !info.isFile() && !info.isDirectory())
    throw new DatasetError(`${path}: is no regular file, expected a tar shard`)
  return open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new DatasetError(`${path}: cannot be read (${cause.code}), expected a tar shard`, { cause })
  })
}

/** The sample and the ending that a name in a shard means: both sides of the first dot behind the last slash. */
function splitName(name: string): { key: string; ending: string } {
  const dot = name.indexOf('.', name.lastIndexOf('/') + 1)
  return dot < 0 ? { key: name, ending: '' } : { key: name.slice(0, dot), ending: name.slice(dot + 1) }
}
