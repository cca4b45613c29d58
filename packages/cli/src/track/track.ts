import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { appendToFile, FacekitError, lockFile, ValueError, writeFileAtomic } from '@facekit/core'
import type { FaceTracker, TrackedFace } from '@facekit/fit'
import { fileSystemReason } from '../error-line.js'
import { PhaseTimer } from '../phase-timer.js'
import type { Progress } from '../progress.js'
import { startSession, type Session } from '../session.js'
import { findPerson, spreadOut, type Person } from './find-person.js'
import type { Frame } from './frame.js'
import { openClip, type Clip } from './read-frames.js'
import { writeTrack, type TrackFrame } from './write-track.js'

/** What `facekit track` was asked to do. */
export interface TrackOptions {
  out: string
  /** Pictures a second of a folder of pictures. */
  fps: number
  model: string
  backend: string
  force: boolean
}

/** What came of it; what `--json` prints. */
export interface TrackReport {
  folder: string
  files: string[]
  frames: number
  /** Pictures in which the face was not found. */
  lost: number
  /** Pictures a second while tracking, of those that were not done before; absent if all were. */
  rate?: number
  model: string
  backend: string
  /** By phase: model, engine, person, track, write. */
  seconds: Record<string, number>
}

/** A network that is surer than this has a face before it: mean deviation in sides of its view. */
const DOUBTFUL = 0.025
/** Mean distance between what the network sees and the mesh, in standard deviations, above which it is no face. */
const MISFIT = 4
/** While a face is lost, it is looked for in each of so many pictures, then in every so many. */
const [EAGER, PATIENT] = [3, 5]

/** Tracks the face of a video: the person from its best pictures, then pose and expression in each picture. Continues what an interrupted run has begun.
 *
 * @throws {FacekitError} when the video cannot be read, holds no face, or the folder cannot be written
 */
export async function track(
  source: string,
  options: TrackOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<TrackReport> {
  const { out, force } = options
  const timer = new PhaseTimer()
  await checkFree(out, force)
  const clip = await openClip(source, options.fps)
  const work = join(out, '.track')
  await mkdir(work, { recursive: true }).catch((cause: unknown) => {
    throw new FacekitError(`${out} cannot be written: ${fileSystemReason(cause)}`, { cause })
  })
  const lock = await lockFile(join(out, '.track.lock'), 'tracks a face into this folder')
  try {
    // Another process may have ended meanwhile.
    await checkFree(out, force).catch(async (error: unknown) => {
      await rm(work, { recursive: true, force: true })
      throw error
    })
    const session = await startSession(options, timer, signal)
    const person = await timer.measure('person', () =>
      personOf(source, clip, options, session, progress, signal),
    )
    const { createFaceTracker } = await import('@facekit/fit')
    const { transform, parameters } = person
    const tracker = createFaceTracker(session.model, { identity: parameters.identity, transform })
    const done = await readFrames(join(work, 'frames.jsonl'))
    const before = done.length
    progress.start(`${source}: tracking`)
    await timer.measure('track', () => trackFrames({ clip, done, tracker, person, work, progress, signal }))
    progress.stop()
    const files = await timer.measure('write', () =>
      writeTrack({ source, out, person, session, tracker, frames: done }),
    )
    await rm(work, { recursive: true, force: true })
    const rate = done.length > before && { rate: (done.length - before) / timer.seconds.track }
    return {
      folder: out,
      files,
      frames: done.length,
      lost: done.filter(({ face }) => !face).length,
      ...rate,
      model: session.model.name,
      backend: session.engine.backend,
      seconds: timer.seconds,
    }
  } finally {
    progress.stop()
    await lock.release()
  }
}

async function checkFree(out: string, force: boolean): Promise<void> {
  if (!force && (await isThere(join(out, 'track.json'))))
    throw new FacekitError(`${join(out, 'track.json')} exists; use --force to replace it, or another --out`)
}

const isThere = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined

/** The person that an interrupted run has found in the same video, or a new one. */
async function personOf(
  source: string,
  clip: Clip,
  options: TrackOptions,
  session: Session,
  progress: Progress,
  signal: AbortSignal,
): Promise<Person> {
  const { size, mtimeMs } = await stat(source)
  const key = JSON.stringify([size, mtimeMs, clip.count, options.fps, session.model.name])
  const file = join(options.out, '.track', 'person.json')
  const known = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined)
  if (known?.key === key) return known.person as Person
  await rm(join(options.out, '.track', 'frames.jsonl'), { force: true })
  progress.start(`${source}: looking for the person`)
  const wanted = spreadOut(clip.count)
  const frames: Frame[] = []
  for await (const frame of clip.frames(signal)) if (wanted.has(frame.index)) frames.push(frame)
  const onProgress = (done: number, total: number) => progress.update(done, total)
  const person = await findPerson(frames, session, options.out, signal, onProgress)
  await writeFileAtomic(file, JSON.stringify({ key, person }))
  return person
}

/** Pictures that an interrupted run has done; a line that was cut is none. */
async function readFrames(file: string): Promise<TrackFrame[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const frames: TrackFrame[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      const frame = JSON.parse(line) as Omit<TrackFrame, 'face'> & {
        face?: TrackedFace & { expression: number[] }
      }
      const face = frame.face && { ...frame.face, expression: Float32Array.from(frame.face.expression) }
      frames.push({ time: frame.time, ...(face && { face }) })
    } catch {
      break
    }
  }
  await writeFileAtomic(file, frames.map(frameLine).join(''))
  return frames
}

const frameLine = ({ time, face }: TrackFrame) =>
  `${JSON.stringify({ time, ...(face && { face: { ...face, expression: [...face.expression] } }) })}\n`

interface Tracking {
  clip: Clip
  /** Grows. */
  done: TrackFrame[]
  tracker: FaceTracker
  person: Person
  work: string
  progress: Progress
  signal: AbortSignal
}

async function trackFrames({ clip, done, tracker, person, work, progress, signal }: Tracking): Promise<void> {
  const file = join(work, 'frames.jsonl')
  const start = done.length
  for await (const { frame, picture: reading } of readAhead(clip.frames(signal), start)) {
    signal.throwIfAborted()
    const picture = await reading
    const [height, width] = picture.shape
    if (width !== person.width || height !== person.height)
      throw new ValueError(
        `picture ${frame.index} of the video is ${width} x ${height}, expected ${person.width} x ${person.height} as the others`,
      )
    const face = await findFace(picture, done, tracker)
    done.push({ time: frame.time, ...(face && { face }) })
    await appendToFile(file, frameLine(done.at(-1)!))
    progress.update(done.length, Math.max(clip.count, done.length))
  }
}

/** Pictures from number `start` on; the one after is decoded, on threads of its own, while the networks look at one. */
async function* readAhead(
  frames: AsyncGenerator<Frame>,
  start: number,
): AsyncGenerator<{ frame: Frame; picture: ReturnType<Frame['picture']> }> {
  let before: { frame: Frame; picture: ReturnType<Frame['picture']> } | undefined
  for await (const frame of frames) {
    if (frame.index < start) continue
    const picture = frame.picture()
    // Whoever takes it is told; a picture that nobody takes any more fails silently.
    picture.catch(() => undefined)
    if (before) yield before
    before = { frame, picture }
  }
  if (before) yield before
}

/** The face near where it was in the picture before, or anywhere. */
async function findFace(
  picture: Awaited<ReturnType<Frame['picture']>>,
  done: readonly TrackFrame[],
  tracker: FaceTracker,
): Promise<TrackedFace | undefined> {
  const { detectFaces, findDenseLandmarks, followDenseLandmarks } = await import('@facekit/annotate')
  const previous = done.at(-1)?.face
  if (previous) {
    const { found, doubt } = await followDenseLandmarks(picture, tracker.points(previous))
    const face = doubt < DOUBTFUL ? tracker.fit(found, previous) : undefined
    if (face && face.misfit < MISFIT) return face
  }
  const lost = done.length - 1 - done.findLastIndex(({ face }) => face !== undefined)
  if (lost > EAGER && lost % PATIENT !== 0) return undefined
  const faces = await detectFaces(picture)
  const largest = faces.toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
  for (const { box, quarterTurns } of largest) {
    const dense = await findDenseLandmarks(picture, box, quarterTurns === undefined ? {} : { quarterTurns })
    const { found, doubt } = await followDenseLandmarks(picture, dense)
    if (doubt >= DOUBTFUL) continue
    const face = tracker.fit(found)
    if (face.misfit < MISFIT) return face
  }
  return undefined
}
