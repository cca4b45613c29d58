import { readRegularFile } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import { listFiles } from './list-files.js'
import { readSampleJson } from './sample-json.js'
import type { SampleLocation } from './sample-location.js'
import { isSampleHead, readShardIndex, type IndexedSample } from './shard-index.js'
import { listShard, readExtents } from './tar-shard.js'

/** A sample of a data set, not read yet. */
export interface SampleEntry extends Omit<IndexedSample, 'files'> {
  location: SampleLocation
}

/** Ending of the file that says which faces a picture has: `me.jpg.faces.json`. */
export const RECORD_ENDING = '.faces.json'

/** Endings of files that are taken for pictures. */
export const PICTURE = /\.(jpe?g|jfif|png|webp|avif|gif|tiff?|hei[cf])$/i

/** Whether a file is one that labels beside pictures consist of: `me.jpg.faces.json`, `me.jpg.face-0.jpg`. */
export const isLabelFile = (name: string): boolean => {
  const [, picture] = /^(.*?)\.(faces\.json|face-\d+\.[a-z0-9._-]+)$/.exec(name) ?? []
  return picture !== undefined && PICTURE.test(picture)
}

/** What is known of a picture that was labelled beside it. */
export interface PictureRecord {
  format: 'facekit-picture'
  version: 1
  /** Its faces, largest first. */
  faces: Omit<IndexedSample, 'files'>[]
  /** Why it has none. */
  reason?: string
  /** True when it holds no face; false when it could not be read or labelled. */
  empty?: boolean
}

/** The tar files that a path means, in the order of their names. Node only.
 *
 * @throws {DatasetError} when there is nothing
 */
export async function findShards(source: string): Promise<string[]> {
  const { readdir, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const info = await stat(source).catch((cause: NodeJS.ErrnoException) => {
    throw new DatasetError(
      `${source}: cannot be read (${cause.code}), expected a .tar file or a folder of them`,
      {
        cause,
      },
    )
  })
  if (!info.isDirectory()) return [source]
  const names = (await readdir(source)).filter((name) => /\.tar$/i.test(name) && !name.startsWith('.'))
  return names.sort().map((name) => `${source}/${name}`)
}

/** All samples below a path: of a shard, a folder of shards, or a folder with labels beside the pictures. Node only.
 *
 * @throws {DatasetError} when there are none, or an index is damaged
 */
export async function findSamples(source: string): Promise<SampleEntry[]> {
  const shards = await findShards(source)
  const entries: SampleEntry[] = []
  // One by one: a call takes about 100,000 arguments, and a data set has more samples.
  for (const shard of shards) for (const entry of await samplesOfShard(shard)) entries.push(entry)
  if (shards.length === 0) for (const entry of await samplesBeside(source)) entries.push(entry)
  if (entries.length === 0) {
    throw new DatasetError(
      `${source}: holds no labelled faces, expected .tar shards or pictures with ${RECORD_ENDING} files; make them with facekit annotate`,
    )
  }
  return entries
}

async function samplesOfShard(shard: string): Promise<SampleEntry[]> {
  const index = await readShardIndex(shard)
  if (index) {
    return index.samples.map(({ files, ...about }) => ({ ...about, location: { shard, files } }))
  }
  const entries: SampleEntry[] = []
  for (const { key, files } of await listShard(shard)) {
    // Of other programs, what has no labels is no sample.
    if (files.json === undefined) continue
    const json = (await readExtents(shard, { json: files.json })).get('json')!
    const { identity, source, quality } = readSampleJson(json, `${shard}: ${key}`)
    entries.push({
      key,
      ...(identity !== undefined && { identity }),
      ...(source !== undefined && { picture: source.picture }),
      ...(quality !== undefined && { quality: Math.min(...Object.values(quality)) }),
      location: { shard, files },
    })
  }
  return entries
}

async function samplesBeside(folder: string): Promise<SampleEntry[]> {
  const names = (await listFiles(folder)).filter((name) => name.endsWith(RECORD_ENDING)).sort()
  const entries: SampleEntry[] = []
  for (const name of names) {
    const path = `${folder}/${name}`
    const record = parseRecord(new TextDecoder().decode(await readRegularFile(path)), path)
    const picture = path.slice(0, -RECORD_ENDING.length)
    for (const [i, face] of record.faces.entries()) {
      const paths = Object.fromEntries(
        ['jpg', 'json', 'mask.png'].map((ending) => [ending, `${picture}.face-${i}.${ending}`]),
      )
      entries.push({ ...face, location: { paths } })
    }
  }
  return entries
}

/** Reads the record of a picture.
 *
 * @throws {DatasetError} when it is damaged or of another version
 */
export function parseRecord(text: string, path: string): PictureRecord {
  let record: PictureRecord | undefined
  try {
    record = JSON.parse(text) as PictureRecord
  } catch {
    // reported below
  }
  const { format, version, faces, reason } = (record ?? {}) as Partial<Record<keyof PictureRecord, unknown>>
  const isWhole = Array.isArray(faces) && faces.every(isSampleHead)
  if (
    format !== 'facekit-picture' ||
    version !== 1 ||
    !isWhole ||
    !['string', 'undefined'].includes(typeof reason)
  ) {
    throw new DatasetError(`${path}: is damaged, foreign or of another version; label the picture again`)
  }
  return record!
}
