import ndarray, { type NdArray } from 'ndarray'
import { denseData } from '../model/dense-data.js'
import { meshNeighbours } from '@facekit/mesh'
import type { MorphableModel } from '../model/morphable-model.js'
import { surfaceCorrespondence, type SurfaceCorrespondence } from './surface-correspondence.js'

/** Options of `transferAlbedo`. */
export interface TransferAlbedoOptions {
  /** The model that has the albedo, e.g. of `loadBaseModel()`. */
  from: MorphableModel
  /** Of `surfaceCorrespondence(model, from)`, when it is there already. */
  correspondence?: SurfaceCorrespondence
}

/** Beyond this distance a vertex has no counterpart and takes the colours around it, mm. */
const FAR = 6
/** Passes that spread colours into what has none. */
const PASSES = 400

/** Gives a model the albedo of another one with another mesh: means and modes, diffuse and specular.
 *
 * The other mean face is brought onto this one, and each vertex takes the albedo of the closest point; vertices without a
 * counterpart (ears, neck) take the colours around them.
 *
 * @returns a model of its own with the albedo, and the number of albedo coefficients, of `from`
 */
export function transferAlbedo(model: MorphableModel, options: TransferAlbedoOptions): MorphableModel {
  const { from } = options
  const correspondence = options.correspondence ?? surfaceCorrespondence(model, from)
  const { albedo } = from
  const fill = filling(model, correspondence)
  const carry = (array: NdArray<Float32Array>) => {
    const result = transferValues(correspondence, array)
    fill(result.data)
    return result
  }
  return {
    ...model,
    origin: `${model.origin} Albedo: transferred from "${from.name}" (${from.license}).`,
    albedo: {
      diffuseMean: carry(albedo.diffuseMean),
      diffuse: carry(albedo.diffuse),
      specularMean: carry(albedo.specularMean),
      specular: carry(albedo.specular),
    },
    layout: { ...model.layout, albedo: from.layout.albedo },
  }
}

/** Values of the other model's vertices, `[M, 3]` or `[K, M, 3]`, at this model's vertices. */
export function transferValues(
  { vertices, weights, distances }: SurfaceCorrespondence,
  array: NdArray<Float32Array>,
): NdArray<Float32Array> {
  const data = denseData(array)
  const [sourceCount] = array.shape.slice(-2)
  const count = distances.length
  const blocks = array.shape.length === 3 ? array.shape[0] : 1
  const result = new Float32Array(blocks * count * 3)
  for (let block = 0; block < blocks; block++) {
    for (let v = 0; v < count; v++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < 3; k++) {
          sum += weights[v * 3 + k] * data[(block * sourceCount + vertices[v * 3 + k]) * 3 + c]
        }
        result[(block * count + v) * 3 + c] = sum
      }
    }
  }
  return ndarray(result, [...array.shape.slice(0, -2), count, 3])
}

/** Lets colours flow into vertices that are far from the other model, in place; the border between keeps no edge. */
function filling(
  { triangles, vertexCount }: MorphableModel,
  { distances }: SurfaceCorrespondence,
): (data: Float32Array) => void {
  const neighbours = meshNeighbours(triangles, vertexCount)
  const far = [...distances.keys()].filter(
    (v) => distances[v] > FAR && neighbours.start[v + 1] > neighbours.start[v],
  )
  return (data) => {
    for (let base = 0; base < data.length; base += vertexCount * 3) {
      for (let pass = 0; pass < (far.length > 0 ? PASSES : 0); pass++) {
        let change = 0
        for (const v of far) {
          const first = neighbours.start[v]
          const last = neighbours.start[v + 1]
          for (let c = 0; c < 3; c++) {
            let sum = 0
            for (let i = first; i < last; i++) sum += data[base + neighbours.list[i] * 3 + c]
            const value = sum / (last - first)
            change = Math.max(change, Math.abs(value - data[base + v * 3 + c]))
            data[base + v * 3 + c] = value
          }
        }
        if (change < 1e-4) break
      }
    }
  }
}
