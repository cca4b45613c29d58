import { ShapeError, ValueError } from '@facekit/core'
import type { Accessor, Buffer, Document, Mesh, PrimitiveTarget } from '@gltf-transform/core'
import type { CheckedMesh } from '../face-mesh.js'
import { meshNormals } from '../mesh-normals.js'

/** One morph target: how far it moves each vertex at weight 1. */
export interface MorphTarget {
  name: string
  /** `[N * 3]` mm. */
  offsets: ArrayLike<number>
}

/** How morph targets are written. */
export interface MorphOptions {
  /** `[T]` weights at which programs show the face first. Default 0. */
  weights?: ArrayLike<number>
  /** How changes are stored: 16 bits for positions (steps of 0.03 mm) and 8 for normals, by `KHR_mesh_quantization`, half the size, and normals at rest and places on
   * the maps with 16 bits; or plain floats, for programs that do not know that extension. Default 'quantized'. */
  precision?: 'quantized' | 'float32'
}

/** What is not stored: offsets in mm and changes of normals below these. Quantised the file is to be small, and no screen shows them; 0.025 is a degree and
 * a half. */
const SMALLEST = {
  quantized: { offset: 0.08, turn: 0.025 },
  float32: { offset: 1e-3, turn: 2e-4 },
}

/** @throws {ShapeError} when a target has another number of vertices, or there are not as many weights as targets
 * @throws {ValueError} when a number is not finite */
export function checkTargets(
  who: string,
  targets: readonly MorphTarget[],
  weights: ArrayLike<number> | undefined,
  count: number,
): void {
  for (const [i, { name, offsets }] of targets.entries()) {
    if (offsets.length !== count * 3)
      throw new ShapeError(`${who}: targets[${i}].offsets is [${offsets.length}], expected [${count * 3}]`)
    for (let k = 0; k < offsets.length; k++)
      if (!Number.isFinite(offsets[k]))
        throw new ValueError(
          `${who}: target ${name} has ${offsets[k]} at number ${k}, expected finite numbers`,
        )
  }
  if (weights && weights.length !== targets.length)
    throw new ShapeError(`${who}: weights is [${weights.length}], expected [${targets.length}]`)
  if (weights && !Array.from(weights).every(Number.isFinite))
    throw new ValueError(`${who}: a weight is not finite, expected finite numbers`)
}

/** Gives a mesh of glTF its morph targets: every primitive all of them, names in `extras.targetNames`, where importers look for them.
 *
 * Each has positions and normals; normals of several targets at once are the sum of their changes, as glTF defines it. Where that is smaller, only vertices
 * that move are stored (sparse accessors). Integers are to be marked with `markNormalized` once they are written.
 */
export function addMorphTargets(
  document: Document,
  buffer: Buffer,
  mesh: Mesh,
  face: CheckedMesh,
  targets: readonly MorphTarget[],
  { weights, precision = 'quantized' }: MorphOptions,
): void {
  const quantized = precision === 'quantized'
  const vectors = (values: Float32Array<ArrayBuffer>, bits: 8 | 16): Accessor => {
    let still = 0
    for (let v = 0; v < values.length; v += 3)
      if (values[v] === 0 && values[v + 1] === 0 && values[v + 2] === 0) still++
    const array = quantized ? normalized(values, bits) : values
    return (
      document
        .createAccessor()
        .setType('VEC3')
        .setArray(array)
        .setBuffer(buffer)
        // Whatever is smaller; but a sparse accessor must have something in it.
        .setSparse(still > face.count * (quantized ? (bits === 8 ? 0.2 : 0) : 1 / 7) && still < face.count)
    )
  }
  const smallest = SMALLEST[precision]
  const rest = meshNormals(face.vertices, face.triangles)
  const moved = targets.map(({ offsets }) => {
    const vertices = face.vertices.map((value, i) => value + offsets[i])
    const turned = meshNormals(vertices, face.triangles).map((value, i) => value - rest[i])
    return {
      POSITION: vectors(withoutSmall(offsets, smallest.offset, 1 / 1000), 16),
      NORMAL: vectors(withoutSmall(turned, smallest.turn, 1), 8),
    }
  })
  mesh.setExtras({ ...mesh.getExtras(), targetNames: targets.map(({ name }) => name) })
  mesh.setWeights(weights ? Array.from(weights) : targets.map(() => 0))
  for (const primitive of mesh.listPrimitives())
    for (const [i, { POSITION, NORMAL }] of moved.entries()) {
      const target: PrimitiveTarget = document.createPrimitiveTarget(targets[i].name)
      primitive.addTarget(target.setAttribute('POSITION', POSITION).setAttribute('NORMAL', NORMAL))
    }
}

function withoutSmall(
  offsets: ArrayLike<number>,
  smallest: number,
  factor: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(offsets.length)
  for (let v = 0; v < values.length; v += 3)
    if (Math.hypot(offsets[v], offsets[v + 1], offsets[v + 2]) >= smallest)
      for (let c = 0; c < 3; c++) values[v + c] = offsets[v + c] * factor
  return values
}

/** Numbers of -1..1 as signed integers; a normal that turns by more than 60 degrees is cut there. */
function normalized(values: Float32Array, bits: 8 | 16): Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer> {
  const most = bits === 8 ? 127 : 32767
  const result = bits === 8 ? new Int8Array(values.length) : new Int16Array(values.length)
  for (let i = 0; i < values.length; i++) result[i] = Math.round(most * Math.min(1, Math.max(-1, values[i])))
  return result
}
