import { ModelFormatError } from '@facekit/core'
import type { ShapedArray } from './shaped-array.js'

/** Arrays of FaceScape's bilinear model that are of use. */
export const bilinearNames = ['shape_bm_core', 'id_mean', 'id_var', 'fv_indices', 'lm_list_v16'] as const

/** Turns FaceScape's bilinear model (Yang et al., "FaceScape", CVPR 2020; layout of version 1.6) into a linear one about its mean person.
 *
 * `shape_bm_core` `[3N, E, I]`: a shape is core . identity . expression, expression 0 being the neutral one. With the identity's factors m of the mean and
 * their variances v (`id_mean`, `id_var`, `[I]`): mean = core[:, 0] . m, identity mode i = core[:, 0, i] sqrt(v_i), expression e =
 * (core[:, e] - core[:, 0]) . m, from 0 to 1. That an expression looks a little different on everyone is lost. Triangles `fv_indices` `[F, 3]` or quads `[F, 4]`,
 * from 0 or from 1; landmarks `lm_list_v16` `[68]`.
 *
 * @returns arrays under facekit's names; undefined when there is no such core
 * @throws {ModelFormatError} that names what is missing, or does not fit
 */
export function bilinearArrays(
  who: string,
  arrays: ReadonlyMap<string, ShapedArray>,
): Map<string, ShapedArray> | undefined {
  const core = arrays.get('shape_bm_core')
  if (!core) return undefined
  const [size, expressions, identities] = core.shape
  if (core.shape.length !== 3 || size % 3 !== 0 || expressions < 1)
    throw new ModelFormatError(
      `${who}: shape_bm_core is [${core.shape.join(', ')}], expected [3N, expressions, identities]`,
    )
  const factors = (name: 'id_mean' | 'id_var') => {
    const found = arrays.get(name)
    if (found?.data.length === identities) return found.data
    throw new ModelFormatError(
      `${who}: ${name} is ${found ? `[${found.shape.join(', ')}]` : 'missing'}, expected [${identities}], as files of version 1.6 have it`,
    )
  }
  const [mean, variances] = [factors('id_mean'), factors('id_var')]
  const neutral = new Float32Array(size)
  const identity = new Float32Array(identities * size)
  const expression = new Float32Array((expressions - 1) * size)
  for (let i = 0; i < size; i++) {
    const row = (e: number) => (i * expressions + e) * identities
    for (let k = 0; k < identities; k++) {
      const value = core.data[row(0) + k]
      neutral[i] += value * mean[k]
      identity[k * size + i] = value * Math.sqrt(Math.max(variances[k], 0))
    }
    for (let e = 1; e < expressions; e++) {
      let sum = 0
      for (let k = 0; k < identities; k++) sum += core.data[row(e) + k] * mean[k]
      expression[(e - 1) * size + i] = sum - neutral[i]
    }
  }
  const count = size / 3
  const polygons = arrays.get('fv_indices')
  if (!polygons) throw new ModelFormatError(`${who}: fv_indices is missing, expected the mesh's polygons`)
  const landmarks = arrays.get('lm_list_v16')
  return new Map<string, ShapedArray>([
    ['mean', { shape: [count, 3], data: neutral }],
    ['identity', { shape: [identities, count, 3], data: identity }],
    ['expression', { shape: [expressions - 1, count, 3], data: expression }],
    ['triangles', trianglesOf(who, polygons, count)],
    ...(landmarks?.data.length === 68 ? [['landmarks', landmarks] as const] : []),
  ])
}

function trianglesOf(who: string, { shape, data }: ShapedArray, count: number): ShapedArray {
  const width = shape[1]
  if (shape.length !== 2 || (width !== 3 && width !== 4))
    throw new ModelFormatError(`${who}: fv_indices is [${shape.join(', ')}], expected [F, 3] or [F, 4]`)
  let [lowest, highest] = [Infinity, -Infinity]
  for (let i = 0; i < data.length; i++) {
    lowest = Math.min(lowest, data[i])
    highest = Math.max(highest, data[i])
  }
  const first = lowest >= 1 && highest === count ? 1 : 0
  const corners = width === 3 ? [0, 1, 2] : [0, 1, 2, 2, 3, 0]
  const triangles = new Int32Array(shape[0] * corners.length)
  for (let p = 0; p < shape[0]; p++)
    corners.forEach((corner, k) => {
      triangles[p * corners.length + k] = data[p * width + corner] - first
    })
  return { shape: [triangles.length / 3, 3], data: triangles }
}
