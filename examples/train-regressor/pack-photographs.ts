/** Makes what `index.ts --photographs` learns from: photographs with their labels, and a fit of the base model to all of a person's.
 *
 *   node --conditions=@facekit/source --import tsx examples/train-regressor/pack-photographs.ts PHOTOGRAPHS OUTPUT [PART/PARTS] [SECONDS]
 *
 * PHOTOGRAPHS holds a folder of each person. 3/8 takes every eighth person from the third, for a process of its own; after SECONDS it writes those that it
 * has. The largest face of each photograph counts; no profiles, and no faces that the picture's border cuts off.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { annotate, findDenseLandmarks, readPicture, type FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom, FacekitError, writeFileAtomic } from '@facekit/core'
import { labelQuality } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'
import { fitPhotographs, type LandmarkFit } from '@facekit/fit'
import { defaultCamera } from '@facekit/render'
import ndarray from 'ndarray'
import { mirroredFace } from './mirrored-face.js'
import { writePhotographs } from './photograph-file.js'

/** Least values of `quality`. */
const LEAST = { frontal: 0.02, inside: 0.25 }
/** Pixels of a crop by which fitted points may be off, in the mean: where they are further the network has seen another face. */
const MOST_DISTANCE = 6

/** How many people are held out, and the seed that chooses them: the same as for the small network that ships. */
const HELD_OUT = { people: 48, seed: 7 }

interface Face {
  annotation: FaceAnnotation
  /** As it is, and mirrored. */
  sides: Pick<FaceAnnotation, 'alignment' | 'denseLandmarks'>[]
}
interface Row extends Face {
  person: string
  fits: LandmarkFit[]
}

const [photographs, output, part = '1/1', seconds = 'Infinity'] = process.argv.slice(2)
const [first, parts] = part.split('/').map(Number)
await initEngine({ backend: 'wasm', threads: 1 })
const model = await loadBaseModel({ variant: 'scans' })
const folders = (await readdir(photographs, { withFileTypes: true })).filter((entry) => entry.isDirectory())
const people = folders.map(({ name }) => name).sort()
const heldOut = new Set(
  createRandom(HELD_OUT.seed)
    .shuffle([...people])
    .slice(0, HELD_OUT.people),
)
const rows: Row[] = []
let left = 0
for (let i = first - 1; i < people.length && performance.now() < 1000 * Number(seconds); i += parts) {
  const person = people[i]
  const files = (await readdir(join(photographs, person))).sort()
  const faces: Face[] = []
  for (const file of files) {
    const face = await seenFace(join(photographs, person, file))
    if (face) faces.push(face)
  }
  const kept = faces.length > 0 ? fitted(person, faces) : []
  rows.push(...kept)
  left += files.length - kept.length
  console.log(`${person}: ${kept.length} of ${files.length}`)
}
const size = rows[0].annotation.alignment.size
const joined = (of: (fit: LandmarkFit) => ArrayLike<number>) =>
  Float32Array.from(rows.flatMap(({ fits }) => fits.flatMap((fit) => Array.from(of(fit)))))
const bytesOf = (values: ArrayLike<number>[]) =>
  Uint8Array.from(Buffer.concat(values.map((value) => Uint8Array.from(value, (v) => Math.round(255 * v)))))
await writeFileAtomic(
  output,
  writePhotographs({
    count: rows.length,
    size,
    model: model.name,
    people: rows.map(({ person }) => person),
    heldOut: Uint8Array.from(rows, ({ person }) => Number(heldOut.has(person))),
    pictures: bytesOf(rows.map(({ annotation }) => annotation.alignment.image.data)),
    masks: bytesOf(rows.map(({ annotation }) => masksOf(annotation))),
    landmarks: Float32Array.from(
      rows.flatMap(({ sides }) => sides.flatMap((side) => Array.from(side.alignment.landmarks.data))),
    ),
    identity: joined(({ identity }) => identity),
    expression: joined(({ expression }) => expression),
    pose: joined(({ rotation, translation, scale }) => [...rotation, ...translation, scale]),
  }),
)
console.log(`${rows.length} photographs in ${output}; ${left} left out`)
process.exit(0)

async function seenFace(file: string): Promise<Face | undefined> {
  try {
    const picture = await readPicture(file)
    const [annotation] = await annotate(picture, { maxFaces: 1 })
    if (!annotation) return undefined
    const { alignment } = annotation
    const [height, width] = picture.shape
    const { frontal, inside } = labelQuality({
      image: ndarray(new Uint8Array(0), [alignment.size, alignment.size, 3]),
      annotation: { ...annotation, ...alignment },
      source: { picture: file, face: 0, width, height },
    })
    if (frontal < LEAST.frontal || inside < LEAST.inside) return undefined
    const mirrored = mirroredFace({ picture, ...annotation })
    const denseLandmarks = await findDenseLandmarks(mirrored.picture, mirrored.box)
    return { annotation, sides: [annotation, { ...mirrored, denseLandmarks }] }
  } catch (error) {
    if (!(error instanceof FacekitError)) throw error
    console.warn(`${file}: ${error.message}`)
    return undefined
  }
}

/** One identity of all faces, pose and expression of each; again without those that are off. */
function fitted(person: string, faces: Face[]): Row[] {
  const sides = [0, 1].map(
    (side) =>
      fitPhotographs(
        faces.map((face) => face.sides[side]),
        model,
        defaultCamera,
      ).fits,
  )
  const rows = faces.map((face, i) => ({ ...face, person, fits: sides.map((fits) => fits[i]) }))
  const kept = rows.filter(({ fits }) => fits.every(({ meanDistance }) => meanDistance <= MOST_DISTANCE))
  return kept.length === rows.length || kept.length === 0 ? kept : fitted(person, kept)
}

/** `[S * S * 3]` */
function masksOf({ faceRegion, skinProbability, innerMouth }: FaceAnnotation): Float32Array {
  const channels = [faceRegion, skinProbability, innerMouth].map(({ data }) => data as Float32Array)
  return Float32Array.from({ length: 3 * channels[0].length }, (_, i) => channels[i % 3][Math.floor(i / 3)])
}
