import { extname } from 'node:path'
import { FacekitError, ValueError } from '@facekit/core'
import { bakeFaceTextures, encodeGlb, encodePly, encodePng, writeObj } from '@facekit/export'
import { writeFileAtomic } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { disposeParameters, type FaceParameters } from '@facekit/parameters'
import { renderFace, type Camera } from '@facekit/render'
import ndarray from 'ndarray'
import { changeFace, type FaceChanges } from '../edit/face-changes.js'
import { fileSystemReason } from '../error-line.js'
import { shippedModelNamed } from '../load-model.js'
import { checkOutputFile } from '../output-file.js'
import { PhaseTimer } from '../phase-timer.js'
import { startSession } from '../session.js'
import { readFaceMesh } from './read-face-mesh.js'
import { parametersForModel, readParametersFile } from './read-parameters-file.js'

/** What `facekit render` was asked to do. */
export interface RenderOptions {
  /** File to write; its ending says what: .png a picture, .glb, .obj or .ply a mesh. */
  out: string
  /** Default: the shipped model that the file names. */
  model?: string
  backend: string
  /** Width and height of the picture, or of the maps of a mesh. */
  size: number
  force: boolean
  /** What is to be otherwise than in the file. */
  changes: FaceChanges
}

/** What came of it; what `--json` prints. */
export interface RenderReport {
  file: string
  model: string
  backend: string
  /** By phase: model, engine, render. */
  seconds: Record<string, number>
}

type Writer = (model: MorphableModel, parameters: FaceParameters, camera: Camera) => Promise<void>

/** Makes a picture or a mesh of a parameters.json.
 *
 * @throws {FacekitError} when the file is not one, does not fit the model, or the output cannot be written
 */
export async function renderParameters(
  source: string,
  options: RenderOptions,
  signal: AbortSignal,
): Promise<RenderReport> {
  const { out, force, size, backend, changes } = options
  const write = writerFor(out, size)
  await checkOutputFile(out, force)
  const saved = await readParametersFile(source)
  const face = await changeFace(saved.face, saved.expressionNames, changes)
  const timer = new PhaseTimer()
  const name = options.model ?? shippedModelNamed(saved.model)
  const { model, engine } = await startSession({ model: name, backend }, timer, signal)
  const parameters = parametersForModel(source, { ...saved, face }, model)
  try {
    await timer.measure('render', () => write(model, parameters, saved.camera))
  } finally {
    disposeParameters(parameters)
  }
  return { file: out, model: model.name, backend: engine.backend, seconds: timer.seconds }
}

/** @throws {ValueError} when the ending is of no known format */
function writerFor(out: string, size: number): Writer {
  const store = (content: Uint8Array) =>
    writeFileAtomic(out, content).catch((cause: unknown) => {
      throw new FacekitError(`${out} cannot be written: ${fileSystemReason(cause)}`, { cause })
    })
  const mesh = async (model: MorphableModel, parameters: FaceParameters) => {
    const face = await readFaceMesh(model, parameters)
    return { face, maps: face.uv ? { textures: bakeFaceTextures(face, { size }) } : {} }
  }
  const writers: Record<string, Writer> = {
    '.png': async (model, parameters, camera) => {
      const picture = await renderPicture(model, parameters, camera, size)
      await store(encodePng(ndarray(picture, [size, size, 3])))
    },
    '.glb': async (model, parameters) => {
      const { face, maps } = await mesh(model, parameters)
      const { name, license } = model
      await store(await encodeGlb(face, { ...maps, extras: { model: name, license } }))
    },
    '.obj': async (model, parameters) => {
      const { face, maps } = await mesh(model, parameters)
      await writeObj(face, out, maps)
    },
    '.ply': async (model, parameters) => store(encodePly(await readFaceMesh(model, parameters))),
  }
  const write = writers[extname(out).toLowerCase()]
  if (!write)
    throw new ValueError(
      `--out: ${out} ends with no known format, expected ${Object.keys(writers).join(', ')}`,
    )
  return write
}

/** `[S * S * 3]` encoded, over black: the crop that the face was fitted in. */
async function renderPicture(
  model: MorphableModel,
  parameters: FaceParameters,
  camera: Camera,
  size: number,
): Promise<Float32Array> {
  const { image, ...rest } = renderFace(model, parameters, { width: size, height: size, camera })
  const { fragments, ...tensors } = rest
  const values = Float32Array.from(await image.data())
  for (const tensor of [image, ...Object.values(fragments), ...Object.values(tensors)]) tensor.dispose()
  return values
}
