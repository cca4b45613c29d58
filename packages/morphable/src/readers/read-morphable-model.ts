import { ModelFormatError } from '@facekit/core'
import { decodeMorphableModel } from '../model/decode-morphable-model.js'
import { MODEL_FORMAT } from '../model/encode-morphable-model.js'
import { isHdf5 } from './hdf5-connection.js'
import { Hdf5File } from './hdf5-file.js'
import { isRemote, readSource, sourceName, type ModelSource } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { readAlbedoModel } from './read-albedo-model.js'
import { isJson, readArrayModel } from './read-array-model.js'
import { readBaselFaceModel, type BaselOptions } from './read-basel-face-model.js'
import { readIctFaceKit } from './read-ict-face-kit.js'
import { isZip } from './read-npz.js'

/** What a file is, told from its content. */
export type ModelFormat = 'facekit' | 'basel' | 'albedo' | 'ict' | 'arrays'

/** Options of `readMorphableModel`; each reader takes what it knows. */
export interface ReadModelOptions extends Omit<BaselOptions, 'albedo' | 'crop'> {
  /** An albedo model for the same mesh as a Basel file. */
  albedo?: ModelSource
  /** Default: that of the reader. */
  crop?: 'face' | 'none'
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

/** Tells from the content what a file (or folder) is.
 *
 * @throws {ModelFormatError} when it cannot be read, or is none of the formats
 */
export async function detectModelFormat(source: ModelSource): Promise<ModelFormat> {
  const who = sourceName('detectModelFormat', source)
  if (typeof source === 'string' && !isRemote(source) && (await isFolder(source))) return 'ict'
  const bytes = await readStart(source, who)
  if (isHdf5(bytes)) {
    return Hdf5File.use(source, who, {}, async (file) => {
      const groups = (await file.list('/')) ?? []
      const has = (name: string) => groups.some((group) => group.name === name && group.kind === 'group')
      if (has('shape')) return 'basel' as const
      if (has('diffuseAlbedo')) return 'albedo' as const
      return file.fail(
        `groups /shape or /diffuseAlbedo are missing (the file holds ${
          groups
            .map(({ name }) => name)
            .slice(0, 12)
            .join(', ') || 'nothing'
        }), expected a Statismo model`,
      )
    })
  }
  if (isZip(bytes) || isJson(bytes)) return 'arrays'
  const header = new TextDecoder().decode(bytes.subarray(8))
  if (header.startsWith('{')) return header.includes(`"${MODEL_FORMAT.format}"`) ? 'facekit' : 'arrays'
  const isPickle = bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5
  throw new ModelFormatError(
    `${who}: ${isPickle ? 'is a Python pickle, which could run code' : 'is of no format that is known'}, expected HDF5 (.h5), .safetensors, .npz, .json, or the folder of ICT-FaceKit`,
  )
}

/** Reads a face model of any format that is known, told from its content.
 *
 * @param source - a file: facekit's .safetensors, Basel's .h5, .npz or .safetensors or .json with arrays; or ICT-FaceKit's folder
 * @throws {ModelFormatError} when it is of none of these formats, damaged, or no whole model
 */
export async function readMorphableModel(
  source: ModelSource,
  options: ReadModelOptions = {},
): Promise<MorphableModel> {
  const { albedo, onProgress, signal, template, crop, ...others } = options
  const who = sourceName('readMorphableModel', source)
  const format = await detectModelFormat(source)
  const withTemplate = { ...(template && { template }), ...(crop && { crop }) }
  const { name, landmarks } = others
  const given = { ...(name && { name }), ...(landmarks && { landmarks }) }
  switch (format) {
    case 'facekit':
      return decodeMorphableModel(await readSource(source, who), who)
    case 'basel':
      return readBaselFaceModel(source, {
        ...others,
        ...withTemplate,
        ...(albedo && { albedo: await readAlbedoModel(albedo, others) }),
      })
    case 'ict':
      return readIctFaceKit(source as string, {
        ...(template && { template }),
        ...(crop === 'none' && { face: 'full' }),
        ...(others.identityModes && { identityModes: others.identityModes }),
        ...(onProgress && { onProgress }),
        ...(signal && { signal }),
      })
    case 'arrays':
      return readArrayModel(source, {
        ...withTemplate,
        ...given,
        ...(others.identityModes && { identityModes: others.identityModes }),
      })
    case 'albedo':
      throw new ModelFormatError(
        `${who}: is an albedo model without a shape; read the Basel Face Model of the same mesh with it as option "albedo"`,
      )
  }
}

async function isFolder(path: string): Promise<boolean> {
  if (typeof process === 'undefined' || process.versions?.node === undefined) return false
  const { stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** The first bytes of a file, enough for the header of a .safetensors file to name its format. */
async function readStart(source: ModelSource, who: string): Promise<Uint8Array> {
  const isPath = (typeof source === 'string' || source instanceof URL) && !isRemote(source)
  if (!isPath) return (await readSource(source, who)).subarray(0, 65536)
  const { open } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const file = await open(source).catch(async () => {
    // Its message says why.
    await readSource(source, who)
    throw new ModelFormatError(`${who}: cannot be opened`)
  })
  try {
    const start = new Uint8Array(65536)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return start.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
