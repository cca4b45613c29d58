import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FacekitError, ValueError } from '@facekit/core'
import { bakeFaceTextures, readFaceTextures, type FaceTextures } from '@facekit/export'
import { disposeParameters } from '@facekit/parameters'
import { changeFace, type FaceChanges } from '../edit/face-changes.js'
import { fileSystemReason } from '../error-line.js'
import { shippedModelNamed } from '../load-model.js'
import { PhaseTimer } from '../phase-timer.js'
import { readFaceMesh, type ColoredMesh } from '../render/read-face-mesh.js'
import { parametersForModel, readParametersFile } from '../render/read-parameters-file.js'
import { startSession } from '../session.js'
import type { HeadExtent } from './head-extent.js'
import { writeMeshes, type MeshFormat } from './write-meshes.js'

/** What `facekit export` was asked to do. */
export interface ExportOptions {
  /** Folder for the files; made if it is not there. */
  out: string
  formats: readonly MeshFormat[]
  head: HeadExtent
  /** Default: the shipped model that the file names. */
  model?: string
  /** Folder of maps; default: that of the parameters, if maps are there. */
  maps?: string
  /** Width and height of maps of the model's colours. */
  size: number
  backend: string
  force: boolean
  changes: FaceChanges
}

/** What came of it; what `--json` prints. */
export interface ExportReport {
  folder: string
  files: string[]
  model: string
  backend: string
  /** By phase: model, engine, write. */
  seconds: Record<string, number>
}

/** Writes the meshes of a parameters.json.
 *
 * @throws {FacekitError} when the file is not one, does not fit the model, or the output cannot be written
 */
export async function exportParameters(
  source: string,
  options: ExportOptions,
  signal: AbortSignal,
): Promise<ExportReport> {
  const { out, formats, head, force, size, backend, changes } = options
  for (const format of formats) {
    const file = join(out, `face.${format}`)
    if (!force && (await stat(file).catch(() => undefined)))
      throw new FacekitError(`${file} exists; use --force to replace it, or another --out`)
  }
  const saved = await readParametersFile(source)
  const face = await changeFace(saved.face, saved.expressionNames, changes)
  const found = await mapsOf(options.maps, dirname(source))
  const timer = new PhaseTimer()
  const name = options.model ?? shippedModelNamed(saved.model)
  const { model, engine } = await startSession({ model: name, backend }, timer, signal)
  const parameters = parametersForModel(source, { ...saved, face }, model)
  try {
    await mkdir(out, { recursive: true }).catch((cause: unknown) => {
      throw new FacekitError(`${out} cannot be made: ${fileSystemReason(cause)}`, { cause })
    })
    const files = await timer.measure('write', async () => {
      const posed: ColoredMesh = await readFaceMesh(model, parameters)
      const textures = posed.uv && (found ?? bakeFaceTextures(posed, { size }))
      const { pose, illumination } = face
      const meshes = { model, parameters, posed, textures, folder: out, formats: new Set(formats), head }
      const photographed = {
        camera: saved.camera,
        pose: { ...pose, scale: pose.scale[0] },
        illumination: { ...illumination, shininess: illumination.shininess[0] },
      }
      return writeMeshes({ ...meshes, photographed }, signal)
    })
    return { folder: out, files, model: model.name, backend: engine.backend, seconds: timer.seconds }
  } finally {
    disposeParameters(parameters)
  }
}

/** @throws {ValueError} when maps were asked for and are not there */
async function mapsOf(asked: string | undefined, beside: string): Promise<FaceTextures | undefined> {
  const folder = asked ?? beside
  if (await stat(join(folder, 'face-diffuse.png')).catch(() => undefined)) return readFaceTextures(folder)
  if (asked === undefined) return undefined
  throw new ValueError(`--maps: there is no face-diffuse.png in ${folder}`)
}
