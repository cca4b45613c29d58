import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '@facekit/cli'
import { readSafetensors, ValueError, writeSafetensors } from '@facekit/core'
import { decodeSample, encodeSample, openDataset, writeShards } from '@facekit/dataset'
import { decodeParameters, encodeParameters, neutralParameters, readParameters } from '@facekit/parameters'
import { readLatestCheckpoint, readTrainingLog, writeTrainingReport } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { checksumOf } from '../../packages/trainer/src/loop/checkpoint.js'
import { tinySample } from '../../packages/dataset/test/tiny-samples.js'
import type { FuzzTargets } from './fuzz-target.js'

const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

/** Data sets, labels, settings, checkpoints, logs. */
export async function dataTargets(): Promise<FuzzTargets> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-fuzz-'))
  process.on('exit', () => void rm(folder, { recursive: true, force: true }).catch(() => {}))
  const sample = tinySample(1)
  const files = await encodeSample(sample)
  const shards = join(folder, 'shards')
  await writeShards([sample, tinySample(2)], shards)
  const at = (name: string) => join(folder, name)
  await tf.setBackend('cpu')
  const start = neutralParameters({ identity: 3, expression: 2, albedo: 2 }, 1)
  const [face] = await readParameters(start)
  const parameters = encodeParameters(face, ['jawOpen', 'smile'])
  const readData = async (path: string) => {
    const dataset = await openDataset(path)
    for (let i = 0; i < Math.min(8, dataset.length); i++) {
      const { image } = await dataset.read(i)
      if (image.data.length !== image.shape[0] * image.shape[1] * 3)
        throw new Error('a picture that is not whole')
    }
  }
  return {
    tar: {
      // Copies: of a Buffer, which readFile gives, slice would be a view.
      files: [new Uint8Array(await readFile(join(shards, 'faces-000000.tar')))],
      repair: repairTar,
      read: async (bytes) => {
        await writeFile(at('one.tar'), bytes)
        await readData(at('one.tar'))
      },
    },
    'shard-index': {
      files: [new Uint8Array(await readFile(join(shards, 'faces-000000.index.json')))],
      read: async (bytes) => {
        await writeFile(join(shards, 'faces-000000.index.json'), bytes)
        await readData(shards)
      },
    },
    'label-json': {
      files: [files.get('json')!],
      read: (bytes) => decodeSample('k', new Map([...files, ['json', bytes]])),
    },
    'parameters-json': {
      files: [text(parameters)],
      read: (bytes) => decodeParameters('parameters.json', parse(bytes)),
    },
    checkpoint: {
      files: [
        writeSafetensors({
          metadata: {
            format: 'facekit-training',
            version: '1',
            iteration: '4',
            batches: '[{"index":4}]',
            checksum: '0',
          },
          tensors: new Map([['model/a', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]]),
        }),
      ],
      repair: repairCheckpoint,
      read: async (bytes) => {
        const own = await mkdtemp(at('checkpoint-'))
        try {
          await writeFile(join(own, 'checkpoint-000000004.safetensors'), bytes)
          await readLatestCheckpoint(own)
        } finally {
          await rm(own, { recursive: true })
        }
      },
    },
    'training-log': {
      files: [
        text(
          `${JSON.stringify({ iteration: 1, loss: 2, terms: { a: 1 }, evaluation: { b: 2 }, event: 'begun' })}\n${JSON.stringify({ iteration: 2, panel: 'panels/panel-000000002.png' })}\n`,
        ),
      ],
      read: async (bytes) => {
        await writeFile(at('log.jsonl'), bytes)
        await readTrainingLog(at('log.jsonl'))
        const page = await readFile(await writeTrainingReport(folder), 'utf8')
        if (/<b>&|<script|<img/.test(page.replaceAll(/<\/i>[^<]* <b>/g, '')))
          throw new Error('markup of the log is in the report')
      },
    },
    'training-settings': {
      files: [
        text({
          batch: 2,
          backbone: 'mobile',
          learningRate: { schedule: 'cosine', from: 1e-3, to: 1e-5, warmup: 10 },
          synthetic: { size: 64, framing: { scale: [0.8, 1.2] } },
          losses: { identity: 0, photometric: 1.92 },
          lossOptions: { eta: 1, landmarkWeights: [1, 2] },
          augment: { mirror: true },
        }),
      ],
      read: (bytes) =>
        runSettings(
          ['train', at('settings.json'), '--synthetic', '-o', at('never')],
          at('settings.json'),
          bytes,
        ),
    },
    'dataset-settings': {
      files: [
        text({
          count: 4,
          perShard: 2,
          faces: { size: 64, rotation: { yaw: [-1, 1] }, background: { plain: 1 } },
        }),
      ],
      read: (bytes) =>
        runSettings(
          ['dataset', 'build', at('never'), '--synthetic', '--config', at('settings.json')],
          at('settings.json'),
          bytes,
        ),
    },
  }
}

/** Runs a command with settings, and a model that is not there: it ends before any work, with a typed error. */
async function runSettings(argv: string[], path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes)
  let stderr = ''
  const code = await runCli([...argv, '--model', '/none.safetensors', '--debug'], {
    stdout: { write: () => {} },
    stderr: { write: (line) => (stderr += line) },
    env: {},
    signal: new AbortController().signal,
  })
  const kind = /^(\w+)(?:: |\n)/m.exec(
    stderr
      .split('\n')
      .filter((line) => !/^(facekit:|training in)/.test(line))
      .join('\n'),
  )?.[1]
  if (code !== 1) throw new Error(`exit code ${code}: ${stderr}`)
  if (kind && /^(Error|TypeError|RangeError|SyntaxError|ReferenceError)$/.test(kind))
    throw new Error(`untyped: ${stderr}`)
  throw new ValueError(stderr.split('\n')[0])
}

/** As whoever reads a file of parameters does. */
function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  } catch (cause) {
    throw new ValueError('no JSON', { cause })
  }
}

/** Sets the checksum of what can be read. */
function repairCheckpoint(bytes: Uint8Array): Uint8Array {
  try {
    const { metadata, tensors } = readSafetensors(bytes)
    const { checksum: _, ...texts } = metadata
    const checksum = String(checksumOf(texts, tensors))
    return writeSafetensors({ metadata: { ...texts, checksum }, tensors })
  } catch {
    return bytes
  }
}

/** Sets the checksums of all headers that seem to be there. */
function repairTar(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice()
  for (let at = 0; at + 512 <= result.length; at += 512) {
    const header = result.subarray(at, at + 512)
    if (String.fromCharCode(...header.subarray(257, 262)) !== 'ustar') continue
    header.fill(32, 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  }
  return result
}
