import type { FaceAnnotation, Picture } from '@facekit/annotate'
import { AnnotationError, ValueError, writeFileAtomic } from '@facekit/core'
import { encodeFaceTextures, encodeShading } from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import { createParameters, disposeParameters, encodeParameters, readParameters } from '@facekit/parameters'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { errorLine } from '../error-line.js'
import { PhaseTimer } from '../phase-timer.js'
import { startSession, type Session } from '../session.js'
import { expandPictures } from './expand-pictures.js'
import { OutputFolders, outputNames } from './output-folders.js'
import { parametersFile } from './parameters-file.js'
import {
  annotatePicture,
  focalOf,
  readPicture,
  type PictureReport,
  type ReconstructEvents,
  type ReconstructOptions,
  type ReconstructReport,
} from './reconstruct.js'
import { writeFaceFiles, type PhotographMaps } from './write-face-files.js'

/** A photograph of the person. */
interface Portrait {
  file: string
  name: string
  picture: Picture
  annotation: FaceAnnotation
  /** Number of the face in the picture, from 1. */
  face: number
  focal: Awaited<ReturnType<typeof focalOf>>
  report: PictureReport
}

/** Reconstructs one person from several photographs: one identity and albedo, pose, expression and light for each, one texture of all. Each photograph gets a folder as usual.
 *
 * Pictures that cannot be read, have no face, or show somebody else are named in the report and left out.
 *
 * @throws {ValueError} for options that one person's photographs do not have
 * @throws {AnnotationError} when no picture shows a face
 * @throws as `reconstruct`
 */
export async function reconstructPerson(
  options: ReconstructOptions,
  events: ReconstructEvents,
  signal: AbortSignal,
): Promise<ReconstructReport> {
  if (options.method !== 'fit') throw new ValueError('--same-person is for the method fit')
  if (options.face !== undefined)
    throw new ValueError('--face is not for --same-person: the person is found by likeness')
  const timer = new PhaseTimer()
  const files = await expandPictures(options.pictures, options.out)
  const names = outputNames(files)
  const folders = await OutputFolders.open(options.out, names, options.force)
  const reports = files.map((file): PictureReport => ({ picture: file, faces: [], errors: [] }))
  try {
    const session = await timer.measure('total', async () => {
      const session = await startSession(options, timer, signal)
      const portraits = await findPortraits({ files, names, reports, options, events, timer, signal })
      const known = portraits.map(({ focal }) => focal.focalLength)
      const focalLength = known.every((value) => value === known[0]) ? known[0] : undefined
      if (focalLength === 'estimate' && portraits.length > 1)
        throw new ValueError('--focal estimate is for a single photograph, not for --same-person')
      events.progress.start(`fitting ${portraits.length} photographs of one person`)
      const result = await timer.measure('fit', () =>
        fit(portraits, session, options, focalLength, events, signal),
      )
      try {
        await writePortraits({ portraits, result, session, options, folders, timer, signal, events })
      } finally {
        disposeParameters(result.parameters)
      }
      return session
    })
    return {
      backend: session.engine.backend,
      model: session.model.name,
      pictures: reports,
      seconds: timer.seconds,
    }
  } finally {
    events.progress.stop()
    await folders.close()
  }
}

interface Search {
  files: readonly string[]
  names: readonly string[]
  reports: readonly PictureReport[]
  options: ReconstructOptions
  events: ReconstructEvents
  timer: PhaseTimer
  signal: AbortSignal
}

/** The photographs that show the person, and the face in each. */
async function findPortraits(search: Search): Promise<Portrait[]> {
  const { files, names, reports, options, events, timer, signal } = search
  const seen: { index: number; picture: Picture; annotations: FaceAnnotation[] }[] = []
  for (const [index, file] of files.entries()) {
    signal.throwIfAborted()
    events.progress.start(`${basename(file)}: looking for faces`)
    try {
      const picture = await timer.measure('read', () => readPicture(file))
      const annotations = await timer.measure('annotate', () =>
        annotatePicture({ file, picture, options, signal }),
      )
      seen.push({ index, picture, annotations })
    } catch (error) {
      signal.throwIfAborted()
      events.progress.stop()
      const line = errorLine(error, file)
      reports[index].errors.push(line)
      events.onError?.(line, error)
    }
  }
  const { findSamePerson } = await import('@facekit/annotate')
  const found = findSamePerson(seen.map(({ annotations }) => annotations.map(({ embedding }) => embedding)))
  const portraits: Portrait[] = []
  for (const [i, { face, distance }] of found.entries()) {
    const { index, picture, annotations } = seen[i]
    const file = files[index]
    if (face === undefined) {
      events.progress.stop()
      const why = `shows somebody else (distance ${distance.toFixed(2)}); it was left out`
      reports[index].leftOut = why
      events.onLeftOut?.(file, why)
      continue
    }
    portraits.push({
      file,
      name: names[index],
      picture,
      annotation: annotations[face],
      face: face + 1,
      focal: await focalOf(file, picture, options),
      report: reports[index],
    })
  }
  if (portraits.length === 0)
    throw new AnnotationError('--same-person: no face was found in any of the pictures')
  return portraits
}

async function fit(
  portraits: readonly Portrait[],
  { model }: Session,
  { iterations }: ReconstructOptions,
  focalLength: number | 'estimate' | undefined,
  { progress }: ReconstructEvents,
  signal: AbortSignal,
): Promise<FitResult> {
  const { fitFace } = await import('@facekit/fit')
  return fitFace(
    portraits.map(({ picture }) => picture),
    portraits.map(({ annotation }) => annotation),
    model,
    {
      ...(focalLength !== undefined && { focalLength }),
      ...(iterations !== undefined && { iterations }),
      signal,
      onProgress: ({ stage, iteration, iterations }) => {
        if (stage === 'appearance') progress.update(iteration, iterations)
      },
    },
  )
}

interface Writing {
  portraits: readonly Portrait[]
  result: FitResult
  session: Session
  options: ReconstructOptions
  folders: OutputFolders
  timer: PhaseTimer
  signal: AbortSignal
  events: ReconstructEvents
}

async function writePortraits(writing: Writing): Promise<void> {
  const { portraits, result, session, options, folders, timer, signal, events } = writing
  const { model, engine } = session
  const shared = await timer.measure('texture', () => sharedTextures(writing))
  const faces = await readParameters(result.parameters)
  for (const [i, { file, name, picture, annotation, face, focal, report }] of portraits.entries()) {
    signal.throwIfAborted()
    const phases = new PhaseTimer()
    const row = createParameters([faces[i]])
    const own = { ...result, parameters: row, landmarks: [result.landmarks[i]], heads: [result.heads[i]] }
    const folder = join(await folders.start(name), `face-${face}`)
    try {
      await mkdir(folder)
      const size = { file, width: picture.shape[1], height: picture.shape[0] }
      const numbers = encodeParameters(faces[i], model.shape.expressionNames)
      const about = { picture: size, face, annotation, backend: engine.backend, method: options.method }
      const parameters = parametersFile({ ...about, focalSource: focal.focalSource }, model, own, numbers)
      const maps = options.texture === 'none' ? { size: options.size } : { texture: options.texture }
      const job = {
        picture,
        annotation,
        model,
        result: own,
        parameters,
        folder,
        maps,
        head: options.head,
        ...(shared && { worn: shared(i) }),
      }
      const written = await writeFaceFiles(job, phases, signal)
      await writeFileAtomic(join(folder, 'parameters.json'), `${JSON.stringify(parameters, null, 1)}\n`)
      await folders.finish(name)
      report.faces.push({
        face,
        folder: join(options.out, name, `face-${face}`),
        files: [...written, 'parameters.json'].sort(),
        box: parameters.box,
        score: parameters.score,
        metrics: parameters.metrics,
        seconds: phases.seconds,
      })
      timer.add(phases)
      events.progress.stop()
      events.onFace?.(file, report.faces[0])
    } finally {
      disposeParameters(row)
      await folders.discard(name)
    }
  }
}

/** Maps of all photographs together, with the shading of each; undefined where the model's colours are asked for. */
async function sharedTextures({
  portraits,
  result,
  session,
  options,
  signal,
}: Writing): Promise<((photograph: number) => PhotographMaps) | undefined> {
  if (options.texture === 'none' || !session.model.uv) return undefined
  const { createFaceTextures } = await import('@facekit/appearance')
  const fits = portraits.map(({ annotation }, row) => ({ ...result, annotation, row }))
  const pictures = portraits.map(({ picture }) => picture)
  const maps = await createFaceTextures(pictures, fits, session.model, { size: options.texture, signal })
  const textures = encodeFaceTextures(maps)
  return (photograph) => {
    const shading = maps.shading[photograph]
    return {
      textures: { ...textures, shading: encodeShading(shading) },
      linear: { ...maps, shading: [shading] },
    }
  }
}
