// How long each stage of labelling a photograph takes, and how many photographs a second `labelFolder` labels.
//
//   node --conditions=@facekit/source --import tsx benchmarks/annotate.ts <folder or .raw> [--backend wasm] [--pictures 40]
//     [--rounds 3] [--workers 1,2] [--weights folder] [--write-raw file.raw]
//
// A .raw file holds decoded photographs (--write-raw makes one of a folder), for machines that cannot decode. Wall time is that of one
// picture after the other; CPU time counts all threads of the process, and other programs disturb it less.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import {
  annotate,
  applyTransform,
  closeLips,
  cropFace,
  detectFaces,
  faceRegion,
  findLandmarks,
  loadEmbedder,
  readPicture,
  refineFaceRegion,
  segment,
  setWeightsLocation,
  skinProbability,
  type Picture,
} from '@facekit/annotate'
import { encodeSample, labelFolder, labelQuality, sampleFromAnnotation, writeShards } from '@facekit/dataset'
import { initEngine, type BackendName } from '@facekit/engine'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
    pictures: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '' },
    weights: { type: 'string' },
    'write-raw': { type: 'string' },
  },
})
const source = positionals[0] ?? new URL('../../shared/data/photos/youtube-faces', import.meta.url).pathname
const isRaw = source.endsWith('.raw')
const paths = isRaw ? [] : spread(listFiles(source), Number(values.pictures))
const pictures = isRaw
  ? readRaw(source).slice(0, Number(values.pictures))
  : await Promise.all(paths.map((path) => readPicture(path)))
if (values['write-raw']) {
  writeRaw(values['write-raw'], pictures)
  process.exit()
}

if (values.weights) setWeightsLocation(pathToFileURL(`${values.weights}/`))
const info = await initEngine({ backend: values.backend as BackendName, threads: 1 })
console.log(
  `${info.backend}: ${info.reason}${info.adapter ? ` (${info.adapter.description})` : ''}; ${pictures.length} pictures, ${Math.round(average(pictures.map(({ shape }) => Math.sqrt(shape[0] * shape[1]))))} pixels wide on average`,
)

interface Measured {
  wall: number[]
  cpu: number[]
}
const stages = new Map<string, Measured>()

async function measure<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = await work()
  const { user, system } = process.cpuUsage(cpu)
  let stage = stages.get(name)
  if (!stage) stages.set(name, (stage = { wall: [], cpu: [] }))
  stage.wall.push(performance.now() - start)
  stage.cpu.push((user + system) / 1000)
  return result
}

const embedder = await loadEmbedder()
const folder = mkdtempSync(join(tmpdir(), 'facekit-bench-'))
// The first round compiles kernels and warms up; it is not counted.
for (let round = 0; round <= Number(values.rounds); round++) {
  if (round === 1) stages.clear()
  for (const [i, picture] of pictures.entries()) {
    await labelInStages(picture, paths[i]).catch((error: unknown) => console.log(`picture ${i}:`, error))
  }
  if (round === 0) console.log('warm')
}
report('stage, one picture after the other')

async function labelInStages(picture: Picture, path: string | undefined): Promise<void> {
  if (path) await measure('decode', () => readPicture(path))
  const [face] = await measure('detect', () => detectFaces(picture, { maxFaces: 1 }))
  if (!face) return
  const found = await measure('landmarks', () => findLandmarks(picture, face.box)).catch(() => undefined)
  if (!found) return
  const crop = await measure('crop', () => cropFace(picture, found))
  const { image, transform } = crop
  const moved = applyTransform(transform, found)
  const points = await measure('lips', () => closeLips(image, moved, { scale: transform.scale }))
  const outline = await measure('region', () => faceRegion(points, { size: 224, inside: crop.inside }))
  await measure('segment (network)', () => segment(crop)).catch(() => stages.delete('segment (network)'))
  const skin = await measure('skin', () => skinProbability(image, points, { faceRegion: outline }))
  await measure('refine', () => refineFaceRegion(outline, skin, image, points))
  await measure('embed', async () => {
    const batch = tf.tensor4d(image.data, [1, 224, 224, 3])
    const features = embedder.embed(batch)
    await features.data()
    tf.dispose([batch, features])
  })
  const [whole] = await measure('annotate (all of it)', () => annotate(picture, { maxFaces: 1 }))
  if (!whole || isRaw) return
  const sample = sampleFromAnnotation(whole, { key: 'sample' })
  sample.quality = await measure('quality', () => labelQuality(sample))
  await measure('encode', () => encodeSample(sample))
  await measure('encode and write', () => writeShards([sample], folder))
}

for (const count of values.workers.split(',').map(Number).filter(Boolean)) {
  const out = join(folder, `labels-${count}`)
  const relative = paths.map((path) => path.slice(source.length + 1))
  let first = 0
  let last = 0
  let done = 0
  await labelFolder(source, out, {
    worker: new URL('./annotate-worker.ts', import.meta.url),
    workers: count,
    pictures: relative,
    onProgress: (progress) => {
      done = progress.done
      last = performance.now()
      // Workers have started, and warmed up, when each has labelled a few pictures.
      if (done === 4 * count) first = last
    },
  })
  console.log(
    `labelFolder, ${count} ${count === 1 ? 'process' : 'processes'}: ${((done - 4 * count) / ((last - first) / 1000)).toFixed(2)} pictures a second`,
  )
}
rmSync(folder, { recursive: true })
process.exit()

function report(title: string): void {
  console.log(`\n${title.padEnd(36)} wall ms  CPU ms  pictures a second`)
  for (const [name, { wall, cpu }] of stages) {
    const [w, p] = [median(wall), average(cpu)]
    console.log(
      `  ${name.padEnd(34)} ${w.toFixed(1).padStart(7)} ${p.toFixed(1).padStart(7)} ${(1000 / w).toFixed(1).padStart(8)}`,
    )
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      if (statSync(path).isDirectory()) return listFiles(path)
      return /\.(jpe?g|png)$/i.test(name) ? [path] : []
    })
}

/** So many items, evenly spread. */
function spread<T>(items: T[], count: number): T[] {
  return Array.from(
    { length: Math.min(count, items.length) },
    (_, i) => items[Math.floor((i * items.length) / count)],
  )
}

function average(numbers: number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
}

function writeRaw(path: string, all: Picture[]): void {
  const header = Uint32Array.from([all.length, ...all.flatMap(({ shape }) => [shape[0], shape[1]])])
  writeFileSync(path, Buffer.concat([Buffer.from(header.buffer), ...all.map(({ data }) => data)]))
}

function readRaw(path: string): Picture[] {
  const bytes = new Uint8Array(readFileSync(path))
  const view = new DataView(bytes.buffer)
  const count = view.getUint32(0, true)
  let at = 4 * (1 + 2 * count)
  return Array.from({ length: count }, (_, i) => {
    const [height, width] = [view.getUint32(4 + 8 * i, true), view.getUint32(8 + 8 * i, true)]
    const data = bytes.slice(at, (at += height * width * 3))
    return ndarray(data, [height, width, 3])
  })
}
