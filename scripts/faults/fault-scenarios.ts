import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { saveMorphableModel } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import sharp from 'sharp'

/** A command whose results are the same each time, and what of them is compared. */
export interface FaultScenario {
  /** Makes what it reads, in a folder. */
  prepare(input: string): Promise<void>
  /** The command line; the same one begins and goes on. */
  argv(input: string, out: string): string[]
  /** A file as it is compared: without times and paths. Nothing for files that differ by nature. */
  normalize(name: string, bytes: Buffer): Buffer | string | undefined
  /** Whether results are moved into place at the end only: then a rerun needs no care, and --force replaces. */
  atOnce?: boolean
  /** What it says over a result that is whole, which it does not replace. */
  refusesWhole?: RegExp
}

const plain = (_: string, bytes: Buffer) => bytes
const photograph = (n: number) => `node_modules/@vladmandic/face-api/demo/sample${n}.jpg`

/** The long commands, as small as they can be. */
export const faultScenarios: Record<string, FaultScenario> = {
  'dataset build': {
    prepare: async () => {},
    argv: (_, out) =>
      `dataset build ${out} --synthetic --size 64 --count 12 --per-shard 3 --seed 5 --backend wasm`.split(
        ' ',
      ),
    normalize: plain,
  },
  train: {
    prepare: async (input) => {
      const settings = {
        backbone: 'mobile',
        inputSize: 32,
        batch: 2,
        iterations: 12,
        checkpointEvery: 3,
        evaluateEvery: 6,
        logEvery: 1,
        learningRate: 1e-3,
        backend: 'wasm',
      }
      await writeFile(join(input, 'settings.json'), JSON.stringify(settings))
    },
    argv: (input, out) => ['train', join(input, 'settings.json'), '--synthetic', '--resume', '-o', out],
    normalize: (name, bytes) => {
      // Names of event files, and what they hold, are times.
      if (name.startsWith('events.') || name === 'report.html') return undefined
      if (name !== 'log.jsonl') return bytes
      return bytes
        .toString()
        .split('\n')
        .map((line) => line.replace(/"(time|speed|waitShare)":("[^"]*"|[\d.e+-]+),?/g, ''))
        .join('\n')
    },
  },
  annotate: {
    prepare: async (input) => {
      const folder = join(input, 'photos')
      await mkdir(folder)
      for (const n of [1, 4, 5, 6]) await copyFile(photograph(n), join(folder, `${n}.jpg`))
    },
    argv: (input, out) =>
      ['annotate', join(input, 'photos'), '-o', out].concat(
        '--per-shard 2 --workers 2 --size 112 --detector fast --segmenter landmarks --no-sheet'.split(' '),
      ),
    normalize: plain,
  },
  reconstruct: {
    prepare: async (input) => {
      for (const n of [5, 6]) await copyFile(photograph(n), join(input, `${n}.jpg`))
    },
    argv: (input, out) =>
      ['reconstruct', join(input, '5.jpg'), join(input, '6.jpg'), '-o', out, '--face', '1'].concat(
        '--method regress --texture none --size 64 --backend wasm --segmenter landmarks --force'.split(' '),
      ),
    normalize: (name, bytes) => {
      if (/\.(json|html)$/.test(name))
        return bytes
          .toString()
          .replace(/"seconds":\s*[\d.e+-]+/g, '')
          .replace(/<dd>[\d.]+ s<\/dd>/g, '')
      return bytes
    },
    atOnce: true,
  },
  evaluate: {
    prepare: async (input) => {
      const face = createTinyFace({ rows: 31, columns: 27 })
      const { shape, triangles, landmarks, vertexCount } = face
      await saveMorphableModel(face, join(input, 'tiny.safetensors'))
      const line = (v: number, wave: number) => {
        const [x, y, z] = shape.mean.data.subarray(3 * v, 3 * v + 3)
        return [x, y, z + wave * Math.sin(x / 9)].join(' ')
      }
      const obj = (wave: number) =>
        Array.from({ length: vertexCount }, (_, v) => `v ${line(v, wave)}`)
          .concat(
            Array.from({ length: triangles.length / 3 }, (_, t) =>
              ['f', ...triangles.subarray(3 * t, 3 * t + 3).map((v) => v + 1)].join(' '),
            ),
          )
          .join('\n')
      for (const folder of ['data', 'meshes']) await mkdir(join(input, folder))
      for (let i = 0; i < 8; i++) {
        await writeFile(join(input, 'data', `${i}.jpg`), '')
        await writeFile(join(input, 'data', `${i}.obj`), obj(1 + i / 4))
        await writeFile(join(input, 'data', `${i}.txt`), Array.from(landmarks, (v) => line(v, 0)).join('\n'))
        await writeFile(join(input, 'meshes', `${i}.obj`), obj(1))
      }
    },
    argv: (input, out) =>
      ['evaluate', join(input, 'data'), '-o', out, '--model', join(input, 'tiny.safetensors')].concat(
        ['--method', `peer=${join(input, 'meshes')}`],
        '--backend wasm --maps 2 --workers 2'.split(' '),
      ),
    normalize: (name, bytes) =>
      name.endsWith('.json') ? bytes.toString().replace(/"seconds":\s*[\d.e+-]+/g, '') : bytes,
  },
  track: {
    prepare: async (input) => {
      // A face that moves through the picture.
      const { width = 0, height = 0 } = await sharp(photograph(6)).metadata()
      for (let i = 0; i < 3; i++)
        await sharp(photograph(6))
          .extract({ left: 8 * i, top: 4 * i, width: width - 32, height: height - 16 })
          .jpeg()
          .toFile(join(input, `${i}.jpg`))
    },
    argv: (input, out) => ['track', input, '-o', out, '--backend', 'wasm'],
    normalize: plain,
    refusesWhole: /track\.json exists; use --force/,
  },
}
