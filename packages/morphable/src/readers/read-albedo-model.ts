import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { Hdf5File } from '../hdf5/hdf5-file.js'
import { sourceName, type ModelSource } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { checkVertexCount, readLinearPart } from './statismo.js'

/** The albedo of a model without its shape. */
export interface AlbedoPart {
  /** N. */
  vertexCount: number
  /** Means `[N, 3]` and modes `[Kt, N, 3]`, linear RGB; one set of coefficients drives both. */
  albedo: MorphableModel['albedo']
}

/** Reads an albedo model (AlbedoMM, Smith et al. 2020): `/diffuseAlbedo` and `/specularAlbedo` of a Statismo file.
 *
 * Both parts have the same number of modes, and one set of coefficients drives both (MM '22 paper, Eq. 2). Numbers are
 * linear RGB already. Not run on the original files: see docs/models.md.
 *
 * @param source - path, URL or bytes of an .h5 file, e.g. `albedoModel2020_face12_albedoPart.h5`
 * @param options - `modes`: how many to keep, the first ones
 * @returns a part to give to `readBaselFaceModel` of the same crop
 * @throws {ModelFormatError} that names the dataset that was expected and what was found
 */
export async function readAlbedoModel(
  source: ModelSource,
  options: Hdf5Options & { modes?: number } = {},
): Promise<AlbedoPart> {
  const who = sourceName('readAlbedoModel', source)
  return Hdf5File.use(source, who, options, async (file) => {
    const diffuse = await readLinearPart(file, '/diffuseAlbedo', options)
    const vertexCount = diffuse.mean.shape[0]
    const specular = await readLinearPart(file, '/specularAlbedo', options)
    checkVertexCount(who, '/specularAlbedo', specular.mean.shape[0], vertexCount)
    const modes = diffuse.basis.shape[0]
    if (specular.basis.shape[0] !== modes) {
      file.fail(
        `/specularAlbedo/model/pcaBasis has ${specular.basis.shape[0]} modes, expected ${modes} as /diffuseAlbedo`,
      )
    }
    return {
      vertexCount,
      albedo: {
        diffuseMean: diffuse.mean,
        diffuse: diffuse.basis,
        specularMean: specular.mean,
        specular: specular.basis,
      },
    }
  })
}
