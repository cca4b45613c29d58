import { FacekitError, lockFile, removeTemporaryFiles, writeFileAtomic } from '@facekit/core'
import { verifyShard, writeShards } from '@facekit/dataset'
import { initEngine, type BackendName } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { checkSynthesizerOptions, createFaceSynthesizer } from '@facekit/synthetic'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { autoBackends } from '../auto-backends.js'
import type { CliIo } from '../cli-io.js'
import { completeConfig, readConfig, type DatasetBuildConfig } from './dataset-build-config.js'
import { renderSamples, sampleKey } from './dataset-build-samples.js'
import { loadModel } from '../load-model.js'
import { createProgress } from '../progress.js'
import { version } from '../version.js'

/** What the command line says. */
export interface DatasetBuildFlags {
  config?: string
  count?: number
  size?: number
  seed?: number
  perShard?: number
  quality?: number
  model?: string
  backend: string
  force: boolean
  json?: boolean
}

/** What was made. */
export interface DatasetBuildReport {
  folder: string
  pictures: number
  /** Tar files, those that were there already too. */
  shards: number
  /** Pictures that were there already. */
  kept: number
  /** Of the shards that were written now. */
  bytes: number
  backend: string
  seconds: number
}

const PREFIX = 'faces'
const DESCRIPTION = 'dataset.json'
const LOCK = '.facekit-lock'

/** Runs `facekit dataset build`.
 *
 * A shard is written whole or not at all, so that an interruption costs at most one.
 *
 * @throws {FacekitError} when the configuration is wrong, the folder holds another data set, or is changed meanwhile
 * @throws {LockError} when another process makes a data set in the folder
 * @throws the signal's reason when it is aborted; shards that are done are kept
 */
export async function buildDataset(
  folder: string,
  flags: DatasetBuildFlags,
  io: CliIo,
): Promise<DatasetBuildReport> {
  const started = performance.now()
  const file = flags.config === undefined ? undefined : await readConfig(flags.config)
  const { count, size, seed, perShard, quality, model: modelName } = flags
  const config = completeConfig(file, { count, size, seed, perShard, quality, model: modelName })
  const model = await loadModel(config.model)
  checkSynthesizerOptions(`${file?.name ?? 'dataset build'}: faces`, config.faces, model)
  await mkdir(folder, { recursive: true })
  const lock = await lockFile(join(folder, LOCK), 'makes a data set in the folder')
  try {
    await prepareFolder(folder, config, model.name, flags.force)
    io.signal.throwIfAborted()
    const report = await renderShards(folder, { config, model, flags, io })
    if (!(await lock.isHeld()))
      throw new FacekitError(`${folder}: was removed or replaced while it was written; run the same again`)
    return { ...report, seconds: (performance.now() - started) / 1000 }
  } finally {
    await lock.release()
  }
}

/** Renders the shards that are missing, and sees at the end that all are there. */
async function renderShards(
  folder: string,
  {
    config,
    model,
    flags,
    io,
  }: { config: DatasetBuildConfig; model: MorphableModel; flags: DatasetBuildFlags; io: CliIo },
): Promise<Omit<DatasetBuildReport, 'seconds'>> {
  const progress = await createProgress(io, flags.json === true)
  const engine = await initEngine({
    backend: flags.backend as BackendName | 'auto',
    candidates: autoBackends,
  })
  const synthesizer = createFaceSynthesizer(model, config.faces)
  const shards = Math.ceil(config.count / config.perShard)
  let kept = 0
  let bytes = 0
  try {
    progress.start(`${folder}: rendering ${config.count} faces on ${engine.backend}`)
    for (let shard = 0; shard < shards; shard++) {
      const first = shard * config.perShard
      const last = Math.min(config.count, first + config.perShard)
      const before = await stateOf(folder, shard, first, last)
      if (before === 'whole') {
        kept += last - first
        continue
      }
      if (before !== 'missing') {
        progress.stop()
        io.stderr.write(`facekit: ${before}; it is made again\n`)
        progress.start(`${folder}: rendering ${config.count} faces on ${engine.backend}`)
      }
      const samples = renderSamples(synthesizer, { first, last, config, signal: io.signal }, (done) =>
        progress.update(done, config.count),
      )
      const written = await writeShards(samples, folder, {
        prefix: PREFIX,
        firstShard: shard,
        samplesPerShard: config.perShard,
        quality: config.quality,
      })
      bytes += written.bytes
    }
    for (let shard = 0; shard < shards; shard++) {
      const first = shard * config.perShard
      const state = await stateOf(folder, shard, first, Math.min(config.count, first + config.perShard))
      if (state === 'whole') continue
      const what = state === 'missing' ? `shard ${shard} is missing` : state
      throw new FacekitError(
        `${folder}: was changed while it was written (${what}); run the same again, which makes what is missing`,
      )
    }
  } finally {
    progress.stop()
    synthesizer.dispose()
  }
  return { folder, pictures: config.count, shards, kept, bytes, backend: engine.backend }
}

/** The report in words. */
export function buildLines({ folder, pictures, shards, kept, bytes, seconds }: DatasetBuildReport): string[] {
  const already = kept > 0 ? `, ${kept} of them were there` : ''
  const rate = (pictures - kept) / Math.max(1e-3, seconds)
  return [
    `${folder}: ${pictures} faces in ${shards} shard${shards === 1 ? '' : 's'}${already}`,
    `${(bytes / 1e6).toFixed(1)} MB written, ${rate.toFixed(1)} faces a second`,
  ]
}

/** Makes the folder, or sees that what is in it belongs to the same configuration. */
async function prepareFolder(
  folder: string,
  config: DatasetBuildConfig,
  model: string,
  force: boolean,
): Promise<void> {
  const own = new RegExp(`^${PREFIX}-\\d{6}\\.(tar|index\\.json)$`)
  await removeTemporaryFiles(folder, (name) => own.test(name) || name === DESCRIPTION)
  const entries = await readdir(folder)
  if (force) {
    const old = entries.filter((name) => own.test(name) || name === DESCRIPTION)
    await Promise.all(old.map((name) => rm(join(folder, name))))
  }
  const text = `${JSON.stringify({ format: 'facekit-synthetic', version, modelName: model, ...config }, null, 2)}\n`
  const path = join(folder, DESCRIPTION)
  const before = force ? undefined : await readFile(path, 'utf8').catch(() => undefined)
  if (before !== undefined && before !== text) {
    throw new FacekitError(
      `${folder}: holds a data set of another configuration (see ${path}); name another folder, or pass --force to replace it`,
    )
  }
  if (before === undefined && !force && entries.some((name) => own.test(name))) {
    throw new FacekitError(
      `${folder}: holds shards without ${DESCRIPTION}; name another folder, or pass --force to replace them`,
    )
  }
  await writeFileAtomic(path, text)
}

/** `'whole'`, `'missing'`, or what is wrong with a shard. The index is written last: without it, a shard is missing. */
async function stateOf(folder: string, shard: number, first: number, last: number): Promise<string> {
  const path = join(folder, `${PREFIX}-${String(shard).padStart(6, '0')}`)
  const isThere = await stat(`${path}.index.json`).catch(() => undefined)
  if (!isThere) return 'missing'
  try {
    const keys = await verifyShard(`${path}.tar`)
    const isComplete = keys.length === last - first && keys.every((key, i) => key === sampleKey(first + i))
    return isComplete ? 'whole' : `${path}.tar: holds ${keys.length} other pictures than expected`
  } catch (error) {
    if (error instanceof FacekitError) return error.message
    throw error
  }
}
