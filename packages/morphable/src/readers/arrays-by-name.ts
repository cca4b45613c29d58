import { ModelFormatError } from '@facekit/core'
import type { ModelArrays } from './create-morphable-model.js'
import { bilinearArrays, bilinearNames } from './bilinear-arrays.js'
import { jawModes } from './jaw-modes.js'
import type { ShapedArray } from './shaped-array.js'
import { splitModes } from './split-modes.js'

/** Names under which files have the parts of a model; the first is facekit's own. */
const NAMES = {
  mean: [
    'mean',
    'shape.mean',
    'v_template',
    'template_vertex_positions',
    'shape_mean',
    'mean_shape',
    'vertices',
  ],
  identity: [
    'identity',
    'shape.identity',
    'shapedirs',
    'vertex_identity_basis',
    'identity_basis',
    'shape_basis',
    'id_basis',
  ],
  expression: [
    'expression',
    'shape.expression',
    'exprdirs',
    'expression_basis',
    'expressiondirs',
    'exp_basis',
  ],
  triangles: ['triangles', 'faces', 'f', 'tri', 'cells'],
  landmarks: ['landmarks', 'landmarks68', 'landmark_vertices', 'lmk68'],
  uv: ['uv', 'texture_coordinates'],
  diffuseMean: ['diffuseMean', 'albedo.diffuseMean', 'diffuse_mean', 'albedo_mean'],
  diffuse: ['diffuse', 'albedo.diffuse', 'diffuse_basis', 'albedo_basis'],
  specularMean: ['specularMean', 'albedo.specularMean', 'specular_mean'],
  specular: ['specular', 'albedo.specular', 'specular_basis'],
  innerMouthTriangles: ['innerMouthTriangles', 'inner_mouth_triangles'],
  polygons: ['polygons', 'quads'],
} as const satisfies Partial<Record<keyof ModelArrays, readonly string[]>>

/** FLAME's landmarks: triangle and barycentric weights of each. */
const EMBEDDING = [
  ['full_lmk_faces_idx', 'full_lmk_bary_coords'],
  ['lmk_faces_idx', 'lmk_bary_coords'],
  ['static_lmk_faces_idx', 'static_lmk_bary_coords'],
]
/** FLAME's joints: the jaw opens by turning, not by a mode. */
const JOINTS = ['J_regressor', 'weights']

/** Names of arrays that are of use. */
export const knownArrayNames: ReadonlySet<string> = new Set([
  ...Object.values(NAMES).flat(),
  ...EMBEDDING.flat(),
  ...JOINTS,
  ...bilinearNames,
])

/** Takes a model out of arrays with the usual names: facekit's, FLAME's, FaceScape's, and some of others.
 *
 * @param all - names of all that the file has, for messages
 * @param splitAt - see `ArrayModelOptions`
 * @throws {ModelFormatError} that names what is missing
 */
export function arraysByName(
  who: string,
  named: ReadonlyMap<string, ShapedArray>,
  all: readonly string[],
  splitAt?: number,
): Pick<ModelArrays, 'mean' | 'triangles'> & Partial<ModelArrays> {
  const arrays = bilinearArrays(who, named) ?? named
  const find = (part: keyof typeof NAMES) => NAMES[part].map((name) => arrays.get(name)).find(Boolean)
  const need = (part: keyof typeof NAMES) => {
    const found = find(part)
    if (found) return found
    throw new ModelFormatError(
      `${who}: no array ${NAMES[part]
        .slice(0, 3)
        .map((name) => `"${name}"`)
        .join(
          ' or ',
        )} found (the file has ${all.slice(0, 12).join(', ') || 'none'}), expected mean, bases and triangles`,
    )
  }
  const mean = need('mean')
  const triangles = need('triangles')
  const parts = Object.fromEntries(
    (Object.keys(NAMES) as (keyof typeof NAMES)[])
      .map((part) => [part, find(part)] as const)
      .filter(([, array]) => array !== undefined),
  ) as Partial<Record<keyof typeof NAMES, ShapedArray>>
  // Texture coordinates with a count of their own belong to corners, not to vertices.
  if (parts.uv && parts.uv.shape[0] !== mean.data.length / 3) delete parts.uv
  const split = splitModes(who, parts, mean.data.length / 3, splitAt)
  const landmarks = parts.landmarks ?? embeddedLandmarks(arrays, triangles)
  const jaw = jawModes(arrays, mean)
  const expression = jaw ? appendModes(split.expression, jaw, mean.data.length / 3) : split.expression
  return {
    ...parts,
    ...split,
    ...(expression && { expression }),
    mean,
    triangles,
    ...(landmarks && { landmarks }),
  }
}

/** The corner that each landmark is nearest to; 51 without the jaw, or all 68. */
function embeddedLandmarks(
  arrays: ReadonlyMap<string, ShapedArray>,
  triangles: ShapedArray,
): ShapedArray | undefined {
  for (const [faces, weights] of EMBEDDING) {
    const of = arrays.get(faces)
    const bary = arrays.get(weights)
    if (!of || !bary || bary.data.length !== of.data.length * 3) continue
    const count = of.data.length
    if (count !== 68 && count !== 51) continue
    const vertices = Array.from({ length: 68 }, () => -1)
    for (let i = 0; i < count; i++) {
      const w = [0, 1, 2].map((k) => bary.data[i * 3 + k])
      vertices[i + 68 - count] = triangles.data[of.data[i] * 3 + w.indexOf(Math.max(...w))] ?? -1
    }
    return { shape: [68], data: vertices }
  }
  return undefined
}

/** `[K, N, 3]` or `[N, 3, K]` with modes after it, as `[K + J, N, 3]`. */
function appendModes(modes: ShapedArray | undefined, more: Float32Array[], count: number): ShapedArray {
  const size = count * 3
  const before = modes ? Math.floor(modes.data.length / size) : 0
  const data = new Float32Array((before + more.length) * size)
  const last = modes && modes.shape.length === 3 && modes.shape[0] === count && modes.shape[1] === 3
  for (let k = 0; k < before; k++) {
    for (let i = 0; i < size; i++) data[k * size + i] = modes!.data[last ? i * before + k : k * size + i]
  }
  more.forEach((mode, j) => data.set(mode, (before + j) * size))
  return { shape: [before + more.length, count, 3], data }
}
