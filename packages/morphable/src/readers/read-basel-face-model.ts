import type { NdArray } from 'ndarray'
import { linearColors } from './linear-colors.js'
import { createMorphableModel, type CreateModelOptions } from './create-morphable-model.js'
import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { Hdf5File } from '../hdf5/hdf5-file.js'
import { sourceName, type ModelSource } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'
import type { AlbedoPart } from './read-albedo-model.js'
import { checkVertexCount, readLinearPart, readNamedPoints, readStatismoMesh } from './statismo.js'

/** Options of `readBaselFaceModel`. */
export interface BaselOptions extends Hdf5Options {
  /** Albedo of `readAlbedoModel` for the same crop of the mesh. Default: the file's own colours, made linear. */
  albedo?: AlbedoPart
  /** Finds landmarks where neither the file nor the published lists have them, e.g. that of `loadBaseModel()`. */
  template?: MorphableModel
  /** `[68]` vertices of the file's mesh. Default: found. */
  landmarks?: ArrayLike<number>
  /** `'face'` (default) removes ears and neck, as in the paper's Fig. 1b; `'none'` keeps them. */
  crop?: 'face' | 'none'
  /** How many modes are kept, the first ones: fewer are faster. Default all. */
  identityModes?: number
  expressionModes?: number
  albedoModes?: number
  /** Default `basel-<vertices of the file>`. */
  name?: string
}

/** Reads a Basel Face Model (2017, 2019) or another file in the same Statismo HDF5 layout.
 *
 * Groups `/shape`, `/expression` (optional; its mean is added to that of the shape) and `/color`, with `model/mean` `[3N]`,
 * `model/pcaBasis` `[3N, K]`, `model/pcaVariance` `[K]`, and `representer/points` and `cells`; files of minor version 8 and with
 * the older representer, too. The 68 landmarks come from published lists for the mesh, from the named points of the file or
 * from the template, and are checked; the opening of the mouth is closed; ears and neck are cropped. Not run on the original
 * files: see docs/models.md.
 *
 * Colours of the file are taken as encoded with gamma 2.2: the mean becomes mean^2.2, and each mode its first derivative there.
 * They hold the light of the scanner; with `albedo`, the albedo model's diffuse and specular albedo are used instead (Eq. 2).
 *
 * @param source - path, URL or bytes of an .h5 file
 * @throws {ModelFormatError} that names the dataset that was expected and what was found
 * @example
 * const albedo = await readAlbedoModel('albedoModel2020_face12_albedoPart.h5')
 * const model = await readBaselFaceModel('model2017-1_face12_nomouth.h5', { albedo })
 * model.layout // { identity: 199, expression: 100, albedo: 145 }
 */
export async function readBaselFaceModel(
  source: ModelSource,
  options: BaselOptions = {},
): Promise<MorphableModel> {
  const who = sourceName('readBaselFaceModel', source)
  const { albedo: part, template, landmarks, crop = 'face' } = options
  const read = await Hdf5File.use(source, who, options, async (file) => {
    const shape = await readLinearPart(file, '/shape', modes(options.identityModes))
    const vertexCount = shape.mean.shape[0]
    const mesh = await readStatismoMesh(file, '/shape')
    checkVertexCount(who, '/shape/representer', mesh.points.length / 3, vertexCount)
    const has = async (group: string) => (await file.list(group)) !== undefined
    const linear = async (group: string, count?: number) =>
      (await has(group)) ? readLinearPart(file, group, { ...modes(count), vertexCount }) : undefined
    const expression = await linear('/expression', options.expressionModes)
    const color = part ? undefined : await linear('/color', options.albedoModes)
    return { shape, expression, color, mesh, namedPoints: await readNamedPoints(file) }
  })
  const vertexCount = read.shape.mean.shape[0]
  if (part) checkVertexCount(who, 'the albedo', part.vertexCount, vertexCount)
  const mean = read.shape.mean.data
  if (read.expression) {
    const offset = read.expression.mean.data
    for (let i = 0; i < mean.length; i++) mean[i] += offset[i]
  }
  const settings: CreateModelOptions = {
    who,
    crop,
    namedPoints: read.namedPoints,
    ...(template && { template }),
  }
  return createMorphableModel(
    {
      name: options.name ?? `basel-${vertexCount}`,
      license:
        'Basel Face Model: research only, not to be passed on; see the licence that came with the file' +
        (part ? '. Albedo: see that of the albedo model' : ''),
      origin: `Read from a Statismo HDF5 file with ${vertexCount} vertices${crop === 'face' ? ', cropped to the face' : ''}.${part ? ' Albedo: of an albedo model of the same mesh.' : ''}`,
      mean: read.shape.mean,
      identity: read.shape.basis,
      ...(read.expression && { expression: read.expression.basis }),
      triangles: read.mesh.triangles,
      ...(landmarks && { landmarks }),
      ...(read.mesh.lengthUnit && { millimetres: read.mesh.lengthUnit * 1000 }),
      ...(part ? cutAlbedo(part, options.albedoModes) : read.color && linearColors(read.color)),
    },
    settings,
  )
}

const modes = (count: number | undefined) => (count === undefined ? {} : { modes: count })

function cutAlbedo({ albedo }: AlbedoPart, count = Infinity): MorphableModel['albedo'] {
  const cut = (modes: NdArray<Float32Array>) => modes.hi(Math.min(count, modes.shape[0]), null!, null!)
  return { ...albedo, diffuse: cut(albedo.diffuse), specular: cut(albedo.specular) }
}
