import { createTinyFace, moveLandmarks, type StatismoInput } from '@facekit/testing'
import type { MorphableModel } from '@facekit/morphable'
import { averageLandmarks } from './average-landmarks.js'

/** The tiny face, as fine as landmarks need it, and drawn towards an average face where its landmarks are. */
export const face = (): MorphableModel => drawnToTemplate(createTinyFace({ rows: 61, columns: 51 }))

/** Moves the landmarks of a model to where those of an average face are, and the rest along. */
export const drawnToTemplate = (model: MorphableModel): MorphableModel =>
  moveLandmarks(model, averageLandmarks)

/** A face model as the content of a Basel file: without inner mouth triangles, colours with gamma. */
export function baselOf(model: MorphableModel, options: Partial<StatismoInput> = {}): StatismoInput {
  const { shape, albedo, layout } = model
  const half = shape.mean.data.map((_, i) => Math.sin(i) * 0.01)
  return {
    points: Float32Array.from(shape.mean.data),
    triangles: model.triangles,
    parts: {
      '/shape': {
        mean: shape.mean.data.map((value, i) => value - half[i]),
        basis: shape.identity.data,
        modes: layout.identity,
      },
      '/expression': { mean: half, basis: shape.expression.data, modes: layout.expression },
      '/color': {
        mean: albedo.diffuseMean.data.map((value) => Math.max(value, 0) ** (1 / 2.2)),
        basis: albedo.diffuse.data,
        modes: layout.albedo,
      },
    },
    ...options,
  }
}

/** Bytes of an .npy file.
 *
 * @param text - the header. Default: as numpy writes it
 */
export function npy(
  data: Float32Array | Float64Array | Int32Array | Uint8Array,
  shape: number[],
  text?: string,
): Uint8Array<ArrayBuffer> {
  const descr =
    data instanceof Float32Array
      ? '<f4'
      : data instanceof Float64Array
        ? '<f8'
        : data instanceof Uint8Array
          ? '|u1'
          : '<i4'
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  let header = text ?? `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`
  header = `${header.padEnd(117)}\n`
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0])
  bytes.set(new TextEncoder().encode(header), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}

/** Arrays of a model under FLAME's names, bases as `[N, 3, K]`, in metres. */
export function flameArrays(model: MorphableModel): Record<string, Uint8Array<ArrayBuffer>> {
  const { shape, layout, vertexCount, triangles, landmarks } = model
  const modes = layout.identity + layout.expression
  const directions = new Float64Array(vertexCount * 3 * modes)
  for (let i = 0; i < vertexCount * 3; i++) {
    for (let k = 0; k < modes; k++) {
      const [basis, at] =
        k < layout.identity ? [shape.identity.data, k] : [shape.expression.data, k - layout.identity]
      directions[i * modes + k] = basis[at * vertexCount * 3 + i] / 1000
    }
  }
  return {
    'v_template.npy': npy(
      Float64Array.from(shape.mean.data, (value) => value / 1000),
      [vertexCount, 3],
    ),
    'shapedirs.npy': npy(directions, [vertexCount, 3, modes]),
    'f.npy': npy(triangles, [triangles.length / 3, 3]),
    'landmarks.npy': npy(Int32Array.from(landmarks), [68]),
  }
}
