// How well the segmenter of @facekit/annotate finds faces, and how long it takes.
//   node --conditions=@facekit/source --import tsx benchmarks/segmentation.ts [--weights file] [--renders 32] [--model file] [--photos folder]
//     [--sheet file.png --people 100] [--depth 4] [--backend wasm]
// Intersection over union of the face: on rendered faces that no training saw (seed 900), and on three photographs of ffhq-parsing, below the
// brows (their masks are cut off in the forehead, and hold the open mouth). Time: of one crop, on one core of WASM unless told otherwise.
import { faceLabels, labelOf } from '@facekit/core'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type FaceCrop,
  type Points,
  type Segmenter,
  annotate,
  cropFace,
  faceClasses,
  faceRegion,
  loadSegmenter,
  readPicture,
} from '@facekit/annotate'
import { createSegmentationCounter } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { encodePng } from '@facekit/export'
import { loadMorphableModel } from '@facekit/morphable'
import { createFaceSynthesizer } from '@facekit/synthetic'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    weights: text,
    renders: text,
    model: { type: 'string', multiple: true },
    photos: text,
    sheet: text,
    people: text,
    depth: text,
    backend: text,
    threads: text,
  },
})
const photos = values.photos ?? new URL('../../shared/data/photos', import.meta.url).pathname

/** On rendered faces. */
async function measureRenders(segmenter: Segmenter, count: number): Promise<void> {
  const models = [
    await loadBaseModel(),
    ...(await Promise.all((values.model ?? []).map((file) => loadMorphableModel(file)))),
  ]
  for (const model of models) {
    const batch = Math.min(8, count)
    const framing = { scale: [0.88, 1.12] as const, shift: 0.02 }
    const camera = { noise: 0.6 }
    const synthesizer = createFaceSynthesizer(model, {
      batch,
      seed: 900 * 16,
      pose: { roll: 12 },
      framing,
      camera,
    })
    const counter = createSegmentationCounter(faceLabels.length)
    for (let done = 0; done < count; done += batch) {
      const rendered = synthesizer.next()
      const labels = tf.tidy(() => tf.argMax(segmenter.predict(rendered.image), 3))
      counter.add(await rendered.labels.data(), await labels.data())
      tf.dispose([labels, rendered as unknown as tf.TensorContainer])
    }
    synthesizer.dispose()
    const { iou, meanIou } = counter.score()
    console.log(
      `${count} renders of ${model.name}: face ${counter.groupIou(faceClasses.map(labelOf)).toFixed(3)}, mean of the classes ${meanIou.toFixed(3)}`,
    )
    console.log(`  ${faceLabels.map((name, c) => `${name} ${iou[c].toFixed(2)}`).join(', ')}`)
  }
}

/** Share of what is in either mask that is in both, where `counts` says so. */
function iou(
  a: NdArray<Float32Array>,
  b: NdArray<Float32Array>,
  counts: (x: number, y: number) => boolean,
): number {
  const [height, width] = a.shape
  let [both, either] = [0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!counts(x, y)) continue
      const hits = Number(a.get(y, x) > 0.5) + Number(b.get(y, x) > 0.5)
      both += Number(hits === 2)
      either += Number(hits > 0)
    }
  }
  return both / either
}

const larger = (a: NdArray<Float32Array>, b: NdArray<Float32Array>) =>
  ndarray(
    Float32Array.from({ length: a.size }, (_, i) => {
      const [y, x] = [Math.floor(i / a.shape[1]), i % a.shape[1]]
      return Math.max(a.get(y, x), b.get(y, x))
    }),
    [...a.shape],
  )

/** Whether a pixel lies below the line along the middle of the brows. */
function belowBrows(landmarks: Points): (x: number, y: number) => boolean {
  const middle = (from: number, axis: number) =>
    [0, 1, 2, 3, 4].reduce((sum, i) => sum + landmarks.get(from + i, axis) / 5, 0)
  const [x0, y0, x1, y1] = [middle(17, 0), middle(17, 1), middle(22, 0), middle(22, 1)]
  return (x, y) => y > y0 + ((x - x0) / (x1 - x0)) * (y1 - y0)
}

async function measurePhotographs(segmenter: Segmenter): Promise<void> {
  const folder = join(photos, 'ffhq-parsing')
  if (!existsSync(folder)) return console.log('no ffhq-parsing here')
  for (const name of readdirSync(folder).filter((file) => /^\d+\.png$/.test(file))) {
    const picture = await readPicture(join(folder, name))
    const [face] = await annotate(picture, { maxFaces: 1, segmenter: 'landmarks' })
    const mask = cropFace(await readPicture(join(folder, name.replace('.png', '.seg.png'))), face.landmarks)
    // 0 to 15.
    const truth = ndarray(
      Float32Array.from(
        { length: 224 * 224 },
        (_, i) => mask.image.get(Math.floor(i / 224), i % 224, 0) * 17,
      ),
      [224, 224],
    )
    const { landmarks, image } = face.alignment
    const found = await segmenter.segment(image)
    const outline = faceRegion(landmarks, { innerMouth: true })
    const below = belowBrows(landmarks)
    console.log(
      `ffhq-parsing/${name}: face below the brows ${iou(larger(found.faceRegion, found.innerMouth), truth, below).toFixed(3)}; ` +
        `outline of the landmarks ${iou(outline, truth, below).toFixed(3)}, refined by colour ${iou(larger(face.faceRegion, face.innerMouth), truth, below).toFixed(3)}`,
    )
  }
}

async function measureTime(segmenter: Segmenter, crop: Pick<FaceCrop, 'image'>): Promise<void> {
  const times: number[] = []
  const began = process.cpuUsage()
  const runs = 10
  for (let i = 0; i < runs + 2; i++) {
    const start = performance.now()
    await segmenter.segment(crop.image)
    times.push(performance.now() - start)
    if (i === 1) Object.assign(began, process.cpuUsage())
  }
  const used = process.cpuUsage(began)
  const size = crop.image.shape[0]
  console.log(
    `segment(), ${size} x ${size}: ${((used.user + used.system) / 1000 / runs).toFixed(0)} ms of CPU time, ${Math.min(...times).toFixed(0)} ms at best`,
  )
}

/** Pictures beside their labels; one frame of each of so many people. */
async function drawSheet(segmenter: Segmenter, file: string, people: number): Promise<void> {
  const root = join(photos, 'youtube-faces')
  const names = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  const tiles: Uint8Array[] = []
  const S = 112
  for (let i = 0; tiles.length < people && i < names.length; i++) {
    const frames = readdirSync(join(root, names[i])).sort()
    const picture = await readPicture(join(root, names[i], frames[(i * 5) % frames.length]))
    const [face] = await annotate(picture, { maxFaces: 1, segmenter: 'landmarks' })
    if (face) tiles.push(await drawTile(segmenter, face.alignment.image, S))
  }
  const columns = 10
  const [width, height] = [columns * 2 * S, Math.ceil(tiles.length / columns) * S]
  const sheet = ndarray(new Uint8Array(width * height * 3), [height, width, 3])
  tiles.forEach((tile, i) => {
    const [top, left] = [Math.floor(i / columns) * S, (i % columns) * 2 * S]
    for (let k = 0; k < tile.length; k++) {
      sheet.set(top + Math.floor(k / 3 / (2 * S)), left + (Math.floor(k / 3) % (2 * S)), k % 3, tile[k])
    }
  })
  const { writeFile } = await import('node:fs/promises')
  await writeFile(file, await encodePng(sheet))
}

const colors: Record<number, [number, number, number]> = {
  1: [230, 170, 130],
  2: [240, 120, 90],
  3: [60, 220, 255],
  4: [80, 80, 255],
  5: [40, 40, 200],
  6: [140, 70, 30],
  7: [110, 50, 20],
  8: [255, 200, 80],
  9: [230, 180, 60],
  10: [255, 255, 255],
  11: [230, 40, 90],
  12: [190, 20, 60],
  13: [90, 50, 140],
  14: [255, 90, 255],
  15: [160, 255, 60],
  16: [255, 255, 0],
  17: [60, 160, 90],
  18: [120, 120, 130],
}

async function drawTile(
  segmenter: Segmenter,
  image: NdArray<Float32Array>,
  size: number,
): Promise<Uint8Array> {
  const { classes } = await segmenter.segment(image)
  const step = image.shape[0] / size
  const tile = new Uint8Array(size * 2 * size * 3)
  for (let i = 0; i < size * size; i++) {
    const [y, x] = [Math.floor(i / size), i % size]
    const [row, column] = [Math.floor((y + 0.5) * step), Math.floor((x + 0.5) * step)]
    const color = colors[classes.get(row, column)]
    for (let c = 0; c < 3; c++) {
      const value = 255 * image.get(row, column, c)
      tile[(y * 2 * size + x) * 3 + c] = value
      tile[(y * 2 * size + size + x) * 3 + c] = color ? 0.45 * value + 0.55 * color[c] : 0.4 * value
    }
  }
  return tile
}

const { backend } = await initEngine({
  backend: (values.backend ?? 'wasm') as 'wasm',
  threads: Number(values.threads ?? 1),
})
const weights = values.weights === undefined ? undefined : new Uint8Array(readFileSync(values.weights))
const segmenter = await loadSegmenter({
  weights,
  depth: values.depth === undefined ? undefined : Number(values.depth),
})
console.log(`${backend}; ${segmenter.model.countParams()} weights, depth ${segmenter.options.depth}`)
await measureTime(segmenter, { image: ndarray(new Float32Array(224 * 224 * 3).fill(0.5), [224, 224, 3]) })
await measurePhotographs(segmenter)
if (values.renders !== '0') await measureRenders(segmenter, Number(values.renders ?? 32))
if (values.sheet) await drawSheet(segmenter, values.sheet, Number(values.people ?? 100))
