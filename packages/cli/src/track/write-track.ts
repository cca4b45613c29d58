import { join } from 'node:path'
import { writeFileAtomic } from '@facekit/core'
import { encodeGlb, encodeNpz, poseMotion, readFaceTextures } from '@facekit/export'
import { smoothTrack, type FaceTracker, type TrackedFace } from '@facekit/fit'
import {
  arkitNames,
  arkitWeights,
  createParameters,
  decodeParameters,
  disposeParameters,
} from '@facekit/parameters'
import { canBeDriven, faceRig } from '../export/face-rig.js'
import type { Session } from '../session.js'
import { version } from '../version.js'
import type { Person } from './find-person.js'

/** The face in one picture of a video. */
export interface TrackFrame {
  /** Seconds. */
  time: number
  /** Absent where it was lost. */
  face?: TrackedFace
}

interface Track {
  source: string
  out: string
  person: Person
  session: Session
  tracker: FaceTracker
  frames: readonly TrackFrame[]
}

/** A smoothed face, and what it means. */
interface Row {
  time: number
  face?: TrackedFace
  weights?: Float32Array
  landmarks?: Float32Array
  gaze?: { left: number[]; right: number[] }
}

const round = (value: number) => Number(value.toPrecision(7))

/** Writes a track as JSON, CSV, NPZ and animated GLB, smoothed.
 *
 * @returns names of the files
 */
export async function writeTrack(track: Track): Promise<string[]> {
  const { source, out, person, session, tracker, frames } = track
  const { model } = session
  const names = model.shape.expressionNames ?? []
  const raw = frames.map(({ face }) => face)
  const seen = raw.map((face) => face && tracker.landmarks(face))
  const smooth = smoothTrack(raw, seen, person.unit)
  const rows = smooth.map((face, i): Row => {
    const { time } = frames[i]
    if (!face) return { time }
    const gaze = tracker.gaze(face)
    const weights = arkitWeights(face.expression, names)
    return { time, face, weights, landmarks: tracker.landmarks(face), ...(gaze && { gaze }) }
  })
  const json = {
    version: 1,
    generator: `facekit ${version}`,
    source,
    model: { name: model.name, license: model.license },
    weightNames: arkitNames,
    expressionNames: names,
    width: person.width,
    height: person.height,
    transform: person.transform,
    frames: rows.map(jsonRow),
  }
  await writeFileAtomic(join(out, 'track.csv'), csv(rows))
  await writeFileAtomic(join(out, 'track.npz'), npz(rows, model.layout.expression))
  const files = ['track.csv', 'track.npz']
  if (canBeDriven(model) && rows.some(({ face }) => face)) {
    await writeFileAtomic(join(out, 'face.glb'), await animatedGlb(track, rows))
    files.push('face.glb')
  }
  const identity = { ...person.parameters, model: json.model }
  await writeFileAtomic(join(out, 'parameters.json'), `${JSON.stringify(identity, null, 1)}\n`)
  // Last: whoever sees it finds the others.
  await writeFileAtomic(join(out, 'track.json'), `${JSON.stringify(json)}\n`)
  return [...files, 'parameters.json', 'track.json']
}

function jsonRow({ time, face, weights, landmarks, gaze }: Row) {
  if (!face) return { time: round(time), found: false }
  const list = (values: ArrayLike<number>) => Array.from(values, round)
  return {
    time: round(time),
    found: true,
    weights: list(weights!),
    pose: { rotation: list(face.rotation), translation: list(face.translation), scale: round(face.scale) },
    expression: list(face.expression),
    ...(gaze && { gaze: { left: list(gaze.left), right: list(gaze.right) } }),
    landmarks: Array.from({ length: 68 }, (_, k) => list(landmarks!.subarray(2 * k, 2 * k + 2))),
  }
}

function csv(rows: readonly Row[]): string {
  const axes = ['x', 'y', 'z']
  const header = [
    'time',
    'found',
    ...arkitNames,
    'pitch',
    'yaw',
    'roll',
    'translationX',
    'translationY',
    'translationZ',
    'scale',
  ]
  header.push(...['left', 'right'].flatMap((eye) => axes.map((axis) => `gaze_${eye}_${axis}`)))
  const lines = rows.map(({ time, face, weights, gaze }) => {
    if (!face) return [round(time), 0, ...header.slice(2).map(() => '')]
    const look = gaze ? [...gaze.left, ...gaze.right].map(round) : Array.from({ length: 6 }, () => '')
    const pose = [...face.rotation, ...face.translation, face.scale].map(round)
    return [round(time), 1, ...Array.from(weights!, round), ...pose, ...look]
  })
  return `${[header, ...lines].map((cells) => cells.join(',')).join('\n')}\n`
}

function npz(rows: readonly Row[], expressions: number): Uint8Array {
  const count = rows.length
  const gather = (width: number, of: (row: Row) => ArrayLike<number> | undefined) => {
    const data = new Float32Array(count * width).fill(Number.NaN)
    for (const [i, row] of rows.entries()) data.set(of(row) ?? [], i * width)
    return data
  }
  return encodeNpz({
    times: { shape: [count], data: Float64Array.from(rows, ({ time }) => time) },
    found: { shape: [count], data: Uint8Array.from(rows, ({ face }) => (face ? 1 : 0)) },
    weights: { shape: [count, 52], data: gather(52, (row) => row.weights) },
    expression: { shape: [count, expressions], data: gather(expressions, (row) => row.face?.expression) },
    rotation: { shape: [count, 3], data: gather(3, (row) => row.face?.rotation) },
    translation: { shape: [count, 3], data: gather(3, (row) => row.face?.translation) },
    scale: { shape: [count], data: gather(1, (row) => row.face && [row.face.scale]) },
    gaze: {
      shape: [count, 2, 3],
      data: gather(6, (row) => row.gaze && [...row.gaze.left, ...row.gaze.right]),
    },
    landmarks: { shape: [count, 68, 2], data: gather(136, (row) => row.landmarks) },
  })
}

/** The person at rest with ARKit's blend shapes, moved as in the video; programs bridge pictures in which the face was lost. */
async function animatedGlb(
  { out, person, session: { model } }: Track,
  rows: readonly Row[],
): Promise<Uint8Array> {
  const { face } = decodeParameters(join(out, 'parameters.json'), person.parameters)
  const parameters = createParameters([face])
  const rig = (await faceRig(model, parameters))!
  disposeParameters(parameters)
  const found = rows.filter((row) => row.face !== undefined)
  const textures = model.uv && (await readFaceTextures(out))
  const moves = found.map((row) => poseMotion(row.face!))
  return encodeGlb(rig.neutral, {
    ...(textures && { textures }),
    targets: rig.targets,
    skin: rig.skin,
    weights: found[0].weights!,
    extras: { model: model.name, license: model.license },
    animation: {
      times: found.map(({ time }) => time),
      weights: found.flatMap(({ weights }) => [...weights!]),
      rotation: moves.flatMap(({ rotation }) => rotation),
      translation: moves.flatMap(({ translation }) => translation),
      scale: moves.map(({ scale }) => scale),
    },
  })
}
