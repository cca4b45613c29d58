import { writeFileAtomic } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import type { PictureRecord } from '../samples/find-samples.js'
import { parseRecord, RECORD_ENDING } from '../samples/find-samples.js'
import type { LabelledPicture } from './label-picture.js'
import type { LabelPlan } from './label-plan.js'
import { indexPath, readShardIndex, type SkippedPicture } from '../samples/shard-index.js'
import { shardPath, writeShard } from '../samples/write-shards.js'

/** Keeps what was done, so that nothing is lost or done twice when the work is interrupted. Node only. */
export interface LabelJournal {
  /** Pictures of a shard that are not labelled yet, by their place in it. */
  missing(shard: number): Promise<number[]>
  /** Keeps the labels of one picture. */
  keep(shard: number, index: number, labels: LabelledPicture): Promise<void>
  /** Makes a shard final when all of its pictures are there. */
  finish(shard: number): Promise<void>
  /** Pictures of finished shards without a sample, and how many samples they have; nothing when a shard is not finished. */
  summary(): Promise<{ faces: number; skipped: SkippedPicture[]; paths: string[] } | undefined>
}

interface JournalPlace {
  plan: LabelPlan
  /** Where shards, or the files of pictures, go. */
  out: string
  /** What is not final yet. */
  work: string
}

/** Each picture's labels are a file of their own, written at once or not at all, until its shard is made of them; the shard is
 * final when its index is there. A shard that does not fit its index is made again. */
export function shardJournal({ plan, out, work }: JournalPlace): LabelJournal {
  const { prefix } = plan.settings
  const folderOf = (shard: number) => `${work}/parts/${String(shard).padStart(6, '0')}`
  const partOf = (shard: number, index: number) => `${folderOf(shard)}/${String(index).padStart(6, '0')}.part`
  const isDone = async (shard: number) => {
    const { rm } = await files()
    const path = shardPath(out, prefix, shard)
    try {
      return (await readShardIndex(path)) !== undefined
    } catch {
      await rm(indexPath(path), { force: true })
      return false
    }
  }
  return {
    async missing(shard) {
      const { mkdir, readdir, rm } = await files()
      if (await isDone(shard)) {
        await rm(folderOf(shard), { recursive: true, force: true })
        return []
      }
      await mkdir(folderOf(shard), { recursive: true })
      const names = await readdir(folderOf(shard))
      for (const name of names) if (name.endsWith('.tmp')) await rm(`${folderOf(shard)}/${name}`)
      const there = new Set(names.filter((name) => name.endsWith('.part')).map((name) => parseInt(name, 10)))
      return plan.shards[shard].map((_, i) => i).filter((i) => !there.has(i))
    },
    async keep(shard, index, labels) {
      const { serialize } = await import(/* webpackIgnore: true */ 'node:v8')
      await writeFileAtomic(partOf(shard, index), serialize(labels))
    },
    async finish(shard) {
      const { readFile, rm } = await files()
      if (await isDone(shard)) return
      const { deserialize } = await import(/* webpackIgnore: true */ 'node:v8')
      const parts: LabelledPicture[] = []
      for (let i = 0; i < plan.shards[shard].length; i++) {
        const path = partOf(shard, i)
        try {
          parts.push(deserialize(await readFile(path)) as LabelledPicture)
        } catch (cause) {
          await rm(path, { force: true })
          throw new DatasetError(`${path}: cannot be read; run the same again`, { cause })
        }
      }
      const path = shardPath(out, prefix, shard)
      const { readdir } = await files()
      await removeTemporary(out, await readdir(out), path.slice(out.length + 1, -'tar'.length))
      await writeShard(
        path,
        parts.flatMap(({ samples }) => samples),
        { pictures: parts.length, skipped: skippedOf(plan.shards[shard], parts) },
      )
      await rm(folderOf(shard), { recursive: true, force: true })
    },
    async summary() {
      const skipped: SkippedPicture[] = []
      const paths: string[] = []
      let faces = 0
      for (let shard = 0; shard < plan.shards.length; shard++) {
        const path = shardPath(out, prefix, shard)
        const index = await readShardIndex(path).catch(() => undefined)
        if (index === undefined) return undefined
        for (const picture of index.skipped) skipped.push(picture)
        faces += index.samples.length
        paths.push(path)
      }
      return { faces, skipped, paths }
    },
  }
}

/** The files of a picture's faces, then its record: when that is there, all are. */
export function besideJournal({ plan, out }: JournalPlace): LabelJournal {
  const recordOf = (picture: string) => `${out}/${picture}${RECORD_ENDING}`
  const readRecord = async (picture: string): Promise<PictureRecord | undefined> => {
    const { readFile } = await files()
    const text = await readFile(recordOf(picture), 'utf8').catch(() => undefined)
    try {
      return text === undefined ? undefined : parseRecord(text, recordOf(picture))
    } catch {
      return undefined
    }
  }
  // Listed once: a folder may hold very many pictures.
  const listed = new Map<string, string[]>()
  const clean = async (picture: string) => {
    const { readdir } = await files()
    const [folder, name] = splitPath(`${out}/${picture}`)
    if (!listed.has(folder)) {
      const names = await readdir(folder).catch(() => [])
      listed.set(
        folder,
        names.filter((entry) => entry.endsWith('.tmp')),
      )
    }
    await removeTemporary(folder, listed.get(folder)!, `${name}.`)
  }
  return {
    async missing(shard) {
      const missing: number[] = []
      for (const picture of plan.shards[shard]) await clean(picture)
      for (const [i, picture] of plan.shards[shard].entries()) {
        if ((await readRecord(picture)) === undefined) missing.push(i)
      }
      return missing
    },
    async keep(shard, index, { samples, ...rest }) {
      const { mkdir } = await files()
      const path = `${out}/${plan.shards[shard][index]}`
      await mkdir(splitPath(path)[0], { recursive: true })
      for (const [i, sample] of samples.entries()) {
        for (const [ending, bytes] of sample.files)
          await writeFileAtomic(`${path}.face-${i}.${ending}`, bytes)
      }
      const faces = samples.map(({ files: _files, ...about }) => about)
      const record: PictureRecord = { format: 'facekit-picture', version: 1, faces, ...rest }
      await writeFileAtomic(`${path}${RECORD_ENDING}`, `${JSON.stringify(record)}\n`)
    },
    async finish() {},
    async summary() {
      const skipped: SkippedPicture[] = []
      let faces = 0
      for (const picture of plan.shards.flat()) {
        const record = await readRecord(picture)
        if (record === undefined) return undefined
        faces += record.faces.length
        if (record.reason !== undefined) {
          skipped.push({ picture, reason: record.reason, empty: record.empty ?? false })
        }
      }
      return { faces, skipped, paths: [] }
    },
  }
}

const skippedOf = (pictures: readonly string[], parts: readonly LabelledPicture[]): SkippedPicture[] =>
  parts.flatMap(({ reason, empty = false }, i) =>
    reason === undefined ? [] : [{ picture: pictures[i], reason, empty }],
  )

const files = () => import(/* webpackIgnore: true */ 'node:fs/promises')

const splitPath = (path: string): [folder: string, name: string] => {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}

/** Removes what a process that was ended in the middle of a write left behind: of these names those with the prefix. */
async function removeTemporary(folder: string, names: readonly string[], prefix: string): Promise<void> {
  const { rm } = await files()
  for (const name of names) {
    if (name.startsWith(prefix) && /\.\d+\.[a-z0-9]+\.tmp$/.test(name)) {
      await rm(`${folder}/${name}`, { force: true })
    }
  }
}
