import type { HeadExtent } from '../export/head-extent.js'
import { AnnotationError, ValueError } from '@facekit/core'
import type { FaceAnnotation, Picture } from '@facekit/annotate'
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { errorLine } from '../error-line.js'
import { expandPictures } from './expand-pictures.js'
import { OutputFolders, outputNames } from './output-folders.js'
import type { ParametersFile } from './parameters-file.js'
import type { FaceJob } from './reconstruct-face.js'
import { PhaseTimer } from '../phase-timer.js'
import type { Progress } from '../progress.js'
import { startSession, type Method, type Session } from '../session.js'

/** What `facekit reconstruct` was asked to do. */
export interface ReconstructOptions {
  /** Files, folders, and patterns with `*`, `?` and `**`. */
  pictures: readonly string[]
  out: string
  model: string
  backend: string
  method: Method
  /** Name (`mobile`, `resnet50`, `resnet50-rendered`) or file of a regressor for the methods that need one; if undefined `resnet50` where its package is
   * installed, else `mobile`. */
  regressor?: string
  /** What segments the face. Default: as for `annotate`. */
  segmenter?: 'network' | 'landmarks'
  /** Only this face of each picture, from 1. */
  face?: number
  /** All pictures show one person, who gets one identity. */
  samePerson?: boolean
  /** Steps of the fit. */
  iterations?: number
  /** 35 mm equivalent, mm; or where it comes from. */
  focal: number | 'auto' | 'estimate' | 'none'
  /** Width and height of the maps from the photograph; 'none': the model's colours. */
  texture: number | 'none'
  /** Width and height of the maps of the model's colours. */
  size: number
  /** What the meshes show. Default 'face'. */
  head?: HeadExtent
  force: boolean
}

/** What became of one face. */
export interface FaceReport {
  /** From 1. */
  face: number
  /** Holds `files`. */
  folder: string
  files: string[]
  box: ParametersFile['box']
  score: number
  metrics: ParametersFile['metrics']
  /** By phase: regress or fit, render, write. */
  seconds: Record<string, number>
}

/** What became of one picture. */
export interface PictureReport {
  picture: string
  faces: FaceReport[]
  /** What went wrong, a line each. */
  errors: string[]
  /** With `--same-person`: why the picture does not count. */
  leftOut?: string
}

/** What became of the whole run; what `--json` prints. */
export interface ReconstructReport {
  backend: string
  model: string
  pictures: PictureReport[]
  /** By phase: model, engine, regressor, read, annotate, regress, fit, render, write; and the total. */
  seconds: Record<string, number>
}

/** What a run calls as it goes. */
export interface ReconstructEvents {
  progress: Progress
  onFace?(picture: string, face: FaceReport): void
  onError?(line: string, error: unknown): void
  /** A picture that shows somebody else, with `--same-person`. */
  onLeftOut?(picture: string, why: string): void
}

/** Reconstructs every face of every picture. An error in one picture does not lose the others.
 *
 * @throws {FacekitError} before any work when the output folder, the model or the backend cannot be used
 * @throws the signal's reason when it is aborted; pictures that were done before are kept
 */
export async function reconstruct(
  options: ReconstructOptions,
  events: ReconstructEvents,
  signal: AbortSignal,
): Promise<ReconstructReport> {
  checkMethod(options)
  const timer = new PhaseTimer()
  const files = await expandPictures(options.pictures, options.out)
  const names = outputNames(files)
  const folders = await OutputFolders.open(options.out, names, options.force)
  try {
    const reports: PictureReport[] = []
    const session = await timer.measure('total', async () => {
      // Only the first picture is read before the engine starts: one bad name should not cost seconds.
      let session: Session | undefined
      for (const [i, file] of files.entries()) {
        const report: PictureReport = { picture: file, faces: [], errors: [] }
        reports.push(report)
        const fail = (error: unknown, subject = file) => {
          signal.throwIfAborted()
          events.progress.stop()
          const line = errorLine(error, subject)
          report.errors.push(line)
          events.onError?.(line, error)
        }
        let picture: Picture
        try {
          picture = await timer.measure('read', () => readPicture(file))
        } catch (error) {
          fail(error)
          continue
        }
        session ??= await startSession(options, timer, signal)
        const work = { file, picture, session, options, timer, events, signal, fail, report }
        await reconstructPicture(work, folders, names[i])
      }
      return session
    })
    return {
      backend: session?.engine.backend ?? '',
      model: session?.model.name ?? '',
      pictures: reports,
      seconds: timer.seconds,
    }
  } finally {
    events.progress.stop()
    await folders.close()
  }
}

interface PictureWork {
  file: string
  picture: Picture
  session: Session
  options: ReconstructOptions
  timer: PhaseTimer
  events: ReconstructEvents
  signal: AbortSignal
  fail: (error: unknown, subject?: string) => void
  report: PictureReport
}

async function reconstructPicture(work: PictureWork, folders: OutputFolders, name: string): Promise<void> {
  const { file, picture, options, timer, events, signal, fail, report } = work
  const folder = await folders.start(name)
  try {
    events.progress.start(`${basename(file)}: looking for faces`)
    const annotations = await timer.measure('annotate', () => annotatePicture({ ...work, identity: false }))
    const chosen = chooseFaces(file, annotations, options.face)
    const { reconstructFace } = await import('./reconstruct-face.js')
    for (const { annotation, face } of chosen) {
      signal.throwIfAborted()
      const count = options.face === undefined ? ` of ${annotations.length}` : ''
      const phase = options.method === 'regress' ? 'regressing' : 'fitting'
      events.progress.start(`${basename(file)}: face ${face}${count}: ${phase}`)
      const phases = new PhaseTimer()
      try {
        const target = join(folder, `face-${face}`)
        await mkdir(target)
        const job = {
          file,
          picture,
          annotation,
          face,
          folder: target,
          method: options.method,
          iterations: options.iterations,
          ...(await focalOf(file, picture, options)),
          maps: options.texture === 'none' ? { size: options.size } : { texture: options.texture },
          head: options.head,
        }
        const { parameters, files } = await reconstructFace(
          job,
          work.session,
          phases,
          events.progress,
          signal,
        )
        const { box, score, metrics } = parameters
        const { seconds } = phases
        report.faces.push({
          face,
          folder: join(options.out, name, `face-${face}`),
          files,
          box,
          score,
          metrics,
          seconds,
        })
      } catch (error) {
        fail(error, `${file}: face ${face}`)
        const { rm } = await import('node:fs/promises')
        await rm(join(folder, `face-${face}`), { recursive: true, force: true })
      }
      timer.add(phases)
    }
    signal.throwIfAborted()
    events.progress.stop()
    if (report.faces.length === 0) return
    await folders.finish(name)
    for (const face of report.faces) events.onFace?.(file, face)
  } catch (error) {
    report.faces.length = 0
    fail(error)
  } finally {
    await folders.discard(name)
  }
}

/** The focal length that a fit of a picture begins with, in its pixels. */
export async function focalOf(
  file: string,
  picture: Picture,
  { focal, method }: ReconstructOptions,
): Promise<Pick<FaceJob, 'focalLength' | 'focalSource'>> {
  // A regressor has learned faces of one camera.
  if (focal === 'none' || method === 'regress') return { focalSource: 'default' }
  if (focal === 'estimate') return { focalLength: focal, focalSource: focal }
  const { equivalentFocalLength, readFocalLength } = await import('@facekit/annotate')
  const [height, width] = picture.shape
  if (focal !== 'auto')
    return { focalLength: equivalentFocalLength(focal, { width, height }), focalSource: 'given' }
  const found = await readFocalLength(file, { width, height })
  return found === undefined ? { focalSource: 'default' } : { focalLength: found, focalSource: 'exif' }
}

function checkMethod({ method, iterations, regressor, focal }: ReconstructOptions): void {
  if (method === 'regress' && (typeof focal === 'number' || focal === 'estimate'))
    throw new ValueError('--focal is for the methods fit and refine; a regressor has learned one camera')
  if (method === 'regress' && iterations !== undefined)
    throw new ValueError('--iterations is for the methods fit and refine; regress takes no steps')
  if (method === 'fit' && regressor !== undefined)
    throw new ValueError('--regressor is for the methods regress and refine; pass --method refine')
}

export async function readPicture(file: string): Promise<Picture> {
  const { readPicture } = await import('@facekit/annotate')
  return readPicture(file)
}

/** Labels the faces of a picture, largest first; no more of them than are asked for. */
export async function annotatePicture({
  file,
  picture,
  options,
  signal,
  identity = true,
}: Pick<PictureWork, 'file' | 'picture' | 'options' | 'signal'> & {
  /** Whether faces get an embedding: the network that knows who they are takes a second to load. */
  identity?: boolean
}): Promise<FaceAnnotation[]> {
  const [{ annotate }, { zeros }] = await Promise.all([
    import('@facekit/annotate'),
    import('@tensorflow/tfjs-core'),
  ])
  const rejected: string[] = []
  const annotations = await annotate(picture, {
    signal,
    segmenter: options.segmenter,
    ...(!identity && { embedder: (images: Tensor4D): Tensor2D => zeros([images.shape[0], 0]) }),
    ...(options.face === undefined ? {} : { maxFaces: options.face }),
    onReject: (_, reason) => rejected.push(reason),
  })
  if (annotations.length === 0) {
    const why = rejected.length > 0 ? ` (${rejected.length} doubtful: ${rejected[0]})` : ''
    throw new AnnotationError(`${file}: no face found${why}; is one sharp and at least 50 pixels wide?`)
  }
  return annotations
}

function chooseFaces(
  file: string,
  annotations: readonly FaceAnnotation[],
  face: number | undefined,
): { annotation: FaceAnnotation; face: number }[] {
  const all = annotations.map((annotation, i) => ({ annotation, face: i + 1 }))
  if (face === undefined) return all
  if (face > all.length) {
    throw new ValueError(
      `${file}: --face is ${face}, but ${all.length === 1 ? 'one face was' : `${all.length} faces were`} found`,
    )
  }
  return [all[face - 1]]
}
