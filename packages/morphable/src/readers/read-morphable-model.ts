import { isMatFile, ModelFormatError, readMatFile, ValueError } from '@facekit/core'
import { decodeMorphableModel } from '../model/decode-morphable-model.js'
import { MODEL_FORMAT } from '../model/encode-morphable-model.js'
import { cropModel } from '../model/crop-model.js'
import { limitModes } from '../model/limit-modes.js'
import type { ExpPca } from './exp-pca.js'
import { faceCropMask } from './face-crop.js'
import { isHdf5 } from '../hdf5/hdf5-connection.js'
import { Hdf5File } from '../hdf5/hdf5-file.js'
import { isRemote, readSource, readStart, sourceName, type ModelSource } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { readAlbedoModel } from './read-albedo-model.js'
import { isJson, readArrayModel } from './read-array-model.js'
import { readBasel2009 } from './read-basel-2009.js'
import { readBaselFaceModel, type BaselOptions } from './read-basel-face-model.js'
import { readIctFaceKit } from './read-ict-face-kit.js'
import { readLsfm } from './read-lsfm.js'
import { holdsMeshes, readMeshFolder } from './read-mesh-folder.js'
import { isPickle } from '../numpy/parse-pickle.js'
import { isZip } from '../numpy/read-npz.js'

/** What a file is, told from its content. */
export type ModelFormat = 'facekit' | 'basel' | 'basel-2009' | 'lsfm' | 'albedo' | 'ict' | 'meshes' | 'arrays'

/** Options of `readMorphableModel`; each reader takes what it knows. */
export interface ReadModelOptions extends Omit<BaselOptions, 'albedo' | 'crop'> {
  /** An albedo model for the same mesh as a Basel file. */
  albedo?: ModelSource
  /** Expressions for the mesh of a Basel file of 2009. */
  expressions?: ExpPca
  /** FLAME keeps identity and expression in one array: so many of its modes are identity. Default: told from the modes. */
  splitAt?: number
  /** `'face'` removes ears and neck. Default: that of the reader; facekit's own files stay as they are. */
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
  if (typeof source === 'string' && !isRemote(source) && (await isFolder(source)))
    return (await isIctFaceKit(source)) || !(await holdsMeshes(source)) ? 'ict' : 'meshes'
  const bytes = await readStart(source, who)
  if (isHdf5(bytes)) {
    return Hdf5File.use(source, who, {}, async (file) => {
      const groups = (await file.list('/')) ?? []
      const has = (name: string) => groups.some((group) => group.name === name && group.kind === 'group')
      if (has('shape')) return 'basel' as const
      if (has('diffuseAlbedo')) return 'albedo' as const
      if (groups.some(({ name, kind }) => name === 'shapePC' && kind === 'dataset'))
        return 'basel-2009' as const
      if (groups.some(({ name, kind }) => name === 'components' && kind === 'dataset')) return 'lsfm' as const
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
  if (isMatFile(bytes)) {
    const names: string[] = []
    await readMatFile(await readSource(source, who), who, {
      wanted: (name) => !names.push(name),
      largest: 2 ** 30,
    })
    return names.includes('components') && !names.includes('shapePC') ? 'lsfm' : 'basel-2009'
  }
  if (isZip(bytes) || isPickle(bytes) || isJson(bytes)) return 'arrays'
  const header = new TextDecoder().decode(bytes.subarray(8))
  if (header.startsWith('{')) return header.includes(`"${MODEL_FORMAT.format}"`) ? 'facekit' : 'arrays'
  throw new ModelFormatError(
    `${who}: is of no format that is known, expected HDF5 (.h5), MATLAB (.mat), .safetensors, .npz, .pkl, .json, the folder of ICT-FaceKit, or one of meshes (.ply, .obj)`,
  )
}

/** Reads a face model of any format that is known, told from its content.
 *
 * Numbers of modes, the crop and the name are taken for every format. An option that a format has no use for is an error.
 *
 * @param source - a file: facekit's .safetensors, Basel's .h5 or .mat, LSFM's .mat, .npz or .safetensors or .json with arrays; or a folder: ICT-FaceKit's,
 *   or meshes of one topology
 * @throws {ModelFormatError} when it is of none of these formats, damaged, or no whole model
 * @throws {ValueError} when an option does not go with the format
 */
export async function readMorphableModel(
  source: ModelSource,
  options: ReadModelOptions = {},
): Promise<MorphableModel> {
  const who = sourceName('readMorphableModel', source)
  const format = await detectModelFormat(source)
  for (const [name, formats] of MEANINGFUL) {
    if (options[name] !== undefined && !formats.includes(format)) {
      throw new ValueError(
        `${who}: option "${name}" does not go with a file of format ${format}; leave it out`,
      )
    }
  }
  const model = await readFormat(format, source, options, who)
  return limitModes(options.name === undefined ? model : { ...model, name: options.name }, options)
}

/** Formats that have a use for an option; other options go with all. */
const MEANINGFUL: readonly [keyof ReadModelOptions, readonly ModelFormat[]][] = [
  ['albedo', ['basel']],
  ['expressions', ['basel-2009']],
  ['splitAt', ['arrays']],
  ['landmarks', ['basel', 'basel-2009', 'lsfm', 'meshes', 'arrays']],
]

async function readFormat(
  format: ModelFormat,
  source: ModelSource,
  { albedo, onProgress, signal, crop, expressions, splitAt, ...others }: ReadModelOptions,
  who: string,
): Promise<MorphableModel> {
  const { template, landmarks, name, identityModes, expressionModes } = others
  const cropped = crop && { crop }
  switch (format) {
    case 'facekit': {
      const model = decodeMorphableModel(await readSource(source, who), who)
      const mask = () => faceCropMask(model.shape.mean.data, model.triangles, model.landmarks)
      return crop === 'face' ? cropModel(model, mask()) : model
    }
    case 'basel':
      return readBaselFaceModel(source, {
        ...others,
        ...cropped,
        ...(albedo && { albedo: await readAlbedoModel(albedo, others) }),
      })
    case 'basel-2009':
      return readBasel2009(source, { ...others, ...cropped, ...(expressions && { expressions }) })
    case 'ict':
      return readIctFaceKit(String(source), {
        ...(template && { template }),
        ...(crop === 'none' && { face: 'full' }),
        ...(identityModes !== undefined && { identityModes }),
        ...(onProgress && { onProgress }),
        ...(signal && { signal }),
      })
    case 'lsfm':
      return readLsfm(source, { ...others, ...cropped })
    case 'meshes':
      return readMeshFolder(String(source), {
        ...(template && { template }),
        ...cropped,
        ...(landmarks && { landmarks }),
        ...(name !== undefined && { name }),
        ...(identityModes !== undefined && { identityModes }),
        ...(expressionModes !== undefined && { expressionModes }),
        ...(onProgress && { onProgress }),
        ...(signal && { signal }),
      })
    case 'arrays':
      return readArrayModel(source, {
        ...(template && { template }),
        ...cropped,
        ...(landmarks && { landmarks }),
        ...(name !== undefined && { name }),
        ...(splitAt !== undefined && { splitAt }),
      })
    case 'albedo':
      throw new ModelFormatError(
        `${who}: is an albedo model without a shape; read the Basel Face Model of the same mesh with it as option "albedo"`,
      )
  }
}

/** Whether a folder is the distribution of ICT-FaceKit, or its folder `FaceXModel`. */
async function isIctFaceKit(folder: string): Promise<boolean> {
  const { access } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const found = await Promise.all(
    ['vertex_indices.json', 'generic_neutral_mesh.obj', 'FaceXModel'].map((name) =>
      access(`${folder}/${name}`).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}

async function isFolder(path: string): Promise<boolean> {
  if (typeof process === 'undefined' || process.versions?.node === undefined) return false
  const { stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
