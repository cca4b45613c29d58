import { DatasetError } from '../dataset-error.js'
import { assertKey, type SampleFiles } from './encode-sample.js'

/** Where a file lies in a shard: first byte and length. */
export type Extent = [offset: number, length: number]

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

/** Largest file within a shard, in bytes. */
const LARGEST_FILE = 64 * 2 ** 20

/** Reads a tar file in the WebDataset layout, sample by sample, with the memory of one sample. Node only.
 *
 * Folders and other entries that are no files are passed over.
 *
 * @throws {DatasetError} when it is missing, truncated, no tar file, or has a file larger than 64 MB
 */
export async function* readShardFiles(path: string): AsyncGenerator<{ key: string; files: SampleFiles }> {
  const { extract } = await import('tar-stream')
  await checkEnd(path)
  const { createReadStream } = await import(/* webpackIgnore: true */ 'node:fs')
  const archive = extract()
  const source = createReadStream(path)
  source.on('error', (error) => archive.destroy(error))
  source.pipe(archive)
  let current: { key: string; files: SampleFiles } | undefined
  try {
    for await (const entry of archive) {
      const { name, size = 0, type } = entry.header
      if (type !== 'file' && type !== 'contiguous-file') {
        entry.resume()
        continue
      }
      if (size > LARGEST_FILE) throw new Error(`${name} has ${size} bytes, expected at most ${LARGEST_FILE}`)
      const chunks: Uint8Array[] = []
      for await (const chunk of entry) chunks.push(chunk as Uint8Array)
      const { key, ending } = splitName(name)
      if (current !== undefined && current.key !== key) {
        yield current
        current = undefined
      }
      current ??= { key, files: new Map() }
      current.files.set(ending, Uint8Array.from(Buffer.concat(chunks)))
    }
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause
    throw damaged(path, (cause as Error).message, cause)
  } finally {
    source.destroy()
  }
  if (current !== undefined) yield current
}

/** The sample and the ending that a name in a shard means: both sides of the first dot behind the last slash. */
function splitName(name: string): { key: string; ending: string } {
  const dot = name.indexOf('.', name.lastIndexOf('/') + 1)
  return dot < 0 ? { key: name, ending: '' } : { key: name.slice(0, dot), ending: name.slice(dot + 1) }
}

/** A tar file ends with a block of zeros; one that was cut between two files looks right otherwise. */
async function checkEnd(path: string): Promise<void> {
  const { open } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const file = await open(path).catch((cause: unknown) => {
    throw new DatasetError(
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code}), expected a tar shard`,
      {
        cause,
      },
    )
  })
  try {
    const { size } = await file.stat()
    if (size === 0) throw damaged(path, 'the file is empty')
    const end = new Uint8Array(BLOCK)
    if (size >= BLOCK) await file.read(end, 0, BLOCK, size - BLOCK)
    if (size < BLOCK || end.some((byte) => byte !== 0)) {
      throw damaged(path, `it has ${size} bytes and no end of archive`)
    }
  } finally {
    await file.close()
  }
}

/** The error for a shard that is not what it should be. */
export function damaged(path: string, reason: string, cause?: unknown): DatasetError {
  return new DatasetError(
    `${path}: is truncated, damaged or no tar shard (${reason.replace(/\s+/g, ' ')}); make it or copy it again`,
    { cause },
  )
}
