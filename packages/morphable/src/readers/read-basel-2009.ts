import { ModelFormatError, type MatArray } from '@facekit/core'
import ndarray from 'ndarray'
import type { MorphableModel } from '../model/morphable-model.js'
import { createMorphableModel } from './create-morphable-model.js'
import { addedExpressions, expressionVariables, readExpPca, type ExpPca } from './exp-pca.js'
import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { linearColors } from './linear-colors.js'
import { finite, needMatrix, readMatrices, scaledModes } from './matrix-file.js'
import { sourceName, type ModelSource } from './model-source.js'
import type { LinearPart } from './statismo.js'

/** Options of `readBasel2009`. */
export interface Basel2009Options extends Hdf5Options {
  /** Expressions that others published for this mesh. Default: those that were added to the file, or none. */
  expressions?: ExpPca
  /** Finds the landmarks, e.g. that of `loadBaseModel()`. */
  template?: MorphableModel
  /** `[68]` vertices of the file's mesh. Default: found. */
  landmarks?: ArrayLike<number>
  /** `'face'` (default) removes ears and neck; `'none'` keeps them. */
  crop?: 'face' | 'none'
  /** How many modes are kept, the first ones. Default all. */
  identityModes?: number
  expressionModes?: number
  albedoModes?: number
  /** Default `basel-2009`. */
  name?: string
}

const VARIABLES = new Set([
  'shapeMU',
  'shapePC',
  'shapeEV',
  'texMU',
  'texPC',
  'texEV',
  'tl',
  ...expressionVariables,
])
/** The file's unit is the micrometre. */
const MILLIMETRES = 0.001

/** Reads the Basel Face Model of 2009: `01_MorphableModel.mat`, MATLAB 5 or 7.3.
 *
 * `shapeMU` `[3N, 1]` micrometres, `shapePC` `[3N, K]` of length 1, `shapeEV` `[K, 1]` standard deviations; `texMU`, `texPC` and `texEV`
 * the same for colours in 0..255, red, green, blue of each vertex; `tl` `[F, 3]` triangles, counted from 1, in either order. It has no
 * expressions of its own: those of FaceWarehouse on the same mesh, as `expPC` and `expEV` in the file (also `exp_pca`, `w_exp`,
 * `sigma_exp`) or as `Exp_Pca.bin` beside it, are added. Colours are encoded with gamma 2.2, as in `readBaselFaceModel`.
 *
 * Not run on the original file: see docs/models.md.
 *
 * @param source - path, URL or bytes of the `.mat` file
 * @throws {ModelFormatError} that names the variable that was expected and what was found
 * @example
 * const model = await readBasel2009('01_MorphableModel.mat', { template: await loadBaseModel() })
 * model.layout // { identity: 199, expression: 0, albedo: 199 }
 */
export async function readBasel2009(
  source: ModelSource,
  options: Basel2009Options = {},
): Promise<MorphableModel> {
  const who = sourceName('readBasel2009', source)
  const { template, landmarks, crop = 'face', name = 'basel-2009' } = options
  const matrices = await readMatrices(source, who, VARIABLES, options)
  const shape = linearPart(who, matrices, 'shape', options.identityModes)
  const count = shape.mean.shape[0]
  const colors = matrices.has('texMU')
    ? linearPart(who, matrices, 'tex', options.albedoModes, count)
    : undefined
  // Colours in 0..1.
  for (const array of colors ? [colors.mean, colors.basis] : []) {
    for (let i = 0; i < array.data.length; i++) array.data[i] /= 255
  }
  const expression = options.expressions
    ? await readExpPca(who, options.expressions, shape.mean.data, options.expressionModes)
    : addedExpressions(who, matrices, shape.mean.data, options.expressionModes)
  return createMorphableModel(
    {
      name,
      license:
        'Basel Face Model 2009: research only, not to be passed on; see the licence that came with the file',
      origin: `Read from the Basel Face Model 2009 with ${count} vertices${crop === 'face' ? ', cropped to the face' : ''}.${expression ? ' Expressions: of others, on the same mesh.' : ''}`,
      mean: shape.mean,
      identity: shape.basis,
      ...(expression && { expression }),
      triangles: trianglesOf(who, matrices, count),
      ...(landmarks && { landmarks }),
      millimetres: MILLIMETRES,
      ...(colors && linearColors(colors)),
    },
    { who, crop, ...(template && { template }) },
  )
}

function linearPart(
  who: string,
  matrices: ReadonlyMap<string, MatArray>,
  prefix: 'shape' | 'tex',
  most = Infinity,
  vertexCount?: number,
): LinearPart {
  const mean = needMatrix(who, matrices, [`${prefix}MU`])
  const size = mean.data.length
  const expected = vertexCount === undefined ? undefined : vertexCount * 3
  if (size === 0 || size % 3 !== 0 || (expected ?? size) !== size) {
    throw new ModelFormatError(
      `${who}: ${prefix}MU has ${size} numbers, expected ${expected ?? 'three for each vertex'}`,
    )
  }
  const basis = scaledModes(
    who,
    needMatrix(who, matrices, [`${prefix}PC`]),
    needMatrix(who, matrices, [`${prefix}EV`]),
    { name: `${prefix}PC`, size, most },
  )
  return {
    mean: ndarray(finite(who, `${prefix}MU`, new Float32Array(mean.data)), [size / 3, 3]),
    basis: ndarray(basis, [basis.length / size, size / 3, 3]),
  }
}

function trianglesOf(who: string, matrices: ReadonlyMap<string, MatArray>, count: number): Int32Array {
  const { shape, data } = needMatrix(who, matrices, ['tl'])
  if (shape.length !== 2 || shape[1] !== 3) {
    throw new ModelFormatError(
      `${who}: tl is [${shape.join(', ')}], expected [F, 3] vertices, counted from 1`,
    )
  }
  const [rows] = shape
  return Int32Array.from({ length: rows * 3 }, (_, i) => {
    const vertex = data[(i % 3) * rows + Math.floor(i / 3)]
    if (!Number.isInteger(vertex) || vertex < 1 || vertex > count) {
      throw new ModelFormatError(
        `${who}: tl names vertex ${vertex}, expected whole numbers from 1 to ${count}`,
      )
    }
    return vertex - 1
  })
}
