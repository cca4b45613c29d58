/** How many faces the detectors of @facekit/annotate find, and how much that is no face.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/detectors.ts [--frames 50] [--photos ../shared/data/photos] [--mtcnn FILE]
 *
 * On the six demonstration photographs of face-api, whose 22 faces are listed here (looked at one by one), and on frames of YouTube Faces of
 * people that no network of ours was trained on (every fifth), one each. A face counts as found when a detection of half to twice its size
 * has its centre in the middle half of it; every other detection is false. In a few frames somebody else stands behind the annotated person.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Box,
  type FaceDetection,
  type Picture,
  detectFaces,
  loadMtcnn,
  readPicture,
} from '@facekit/annotate'
import { boxAroundLandmarks, openLandmarks } from '@facekit/annotate-training'
import { initEngine } from '@facekit/engine'
import { printTable } from './benchmark.js'

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '50' },
    photos: { type: 'string', default: new URL('../../shared/data/photos', import.meta.url).pathname },
    mtcnn: { type: 'string' },
  },
})

/** x, y, width, height. */
const DEMO: Record<string, [number, number, number, number][]> = {
  'sample1.jpg': [[412, 354, 179, 239], [838, 419, 190, 225], [1475, 199, 201, 237]], // prettier-ignore
  'sample2.jpg': [[1446, 153, 195, 243], [899, 224, 153, 224], [361, 136, 150, 251]], // prettier-ignore
  'sample3.jpg': [[585, 330, 199, 270], [1514, 287, 168, 286], [1073, 215, 222, 296]], // prettier-ignore
  'sample4.jpg': [[663, 49, 185, 264], [256, 183, 162, 250], [988, 178, 170, 227], [1276, 132, 149, 258]], // prettier-ignore
  'sample5.jpg': [[787, 109, 154, 212], [1112, 199, 159, 236], [597, 415, 165, 249], [1404, 387, 168, 273], [377, 862, 171, 298]], // prettier-ignore
  'sample6.jpg': [[679, 319, 160, 307], [1179, 308, 189, 273], [1485, 261, 211, 298], [250, 465, 209, 294]], // prettier-ignore
}

interface Scene {
  picture: Picture
  faces: Box[]
}

async function demo(): Promise<Scene[]> {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
    'demo',
  )
  const scenes: Scene[] = []
  for (const [name, boxes] of Object.entries(DEMO)) {
    const faces = boxes.map(([x, y, width, height]) => ({ x, y, width, height }))
    scenes.push({ picture: await readPicture(readFileSync(join(folder, name))), faces })
  }
  return scenes
}

async function frames(): Promise<Scene[]> {
  const samples = await openLandmarks(join(values.photos, 'youtube-faces'))
  const people = [...new Set(samples.map(({ identity }) => identity))].sort().filter((_, i) => i % 5 === 4)
  const scenes: Scene[] = []
  for (const [i, person] of people.slice(0, Number(values.frames)).entries()) {
    const own = samples.filter(({ identity }) => identity === person)
    const { read, landmarks } = own[(i * 5) % own.length]
    scenes.push({ picture: await read(), faces: [boxAroundLandmarks(landmarks)] })
  }
  return scenes
}

function matches({ box }: FaceDetection, face: Box): boolean {
  const ratio = Math.sqrt((box.width * box.height) / (face.width * face.height))
  const [dx, dy] = [
    box.x + box.width / 2 - face.x - face.width / 2,
    box.y + box.height / 2 - face.y - face.height / 2,
  ]
  return ratio > 0.5 && ratio < 2 && Math.abs(dx) < face.width / 4 && Math.abs(dy) < face.height / 4
}

const { backend, reason } = await initEngine({ backend: 'wasm' })
console.log(`${backend}: ${reason}`)
const mtcnn = await loadMtcnn(values.mtcnn ? { weights: new Uint8Array(readFileSync(values.mtcnn)) } : {})
const detectors: Record<string, (picture: Picture) => Promise<FaceDetection[]>> = {
  accurate: (picture) => detectFaces(picture),
  fast: (picture) => detectFaces(picture, { detector: 'fast' }),
  MTCNN: (picture) => mtcnn.detect(picture),
}
for (const [set, scenes] of Object.entries({
  'demo photographs': await demo(),
  'video frames': await frames(),
})) {
  const total = scenes.reduce((sum, { faces }) => sum + faces.length, 0)
  console.log(`\n${set}: ${scenes.length} pictures, ${total} faces`)
  const rows = []
  for (const [name, detect] of Object.entries(detectors)) {
    await detect(scenes[0].picture)
    let [found, wrong, milliseconds] = [0, 0, 0]
    for (const { picture, faces } of scenes) {
      const start = performance.now()
      const detections = await detect(picture)
      milliseconds += performance.now() - start
      const open = new Set(faces)
      for (const detection of detections) {
        const face = [...open].find((other) => matches(detection, other))
        if (face) open.delete(face)
        else wrong++
      }
      found += faces.length - open.size
    }
    const precision = found + wrong === 0 ? 0 : found / (found + wrong)
    rows.push({
      detector: name,
      found: `${found} of ${total}`,
      recall: found / total,
      false: wrong,
      precision,
      'ms a picture': milliseconds / scenes.length,
    })
  }
  printTable(rows)
}
process.exit(0)
