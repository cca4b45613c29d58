import { ValueError } from '@facekit/core'
import {
  evaluateAlbedo,
  evaluateShape,
  innerMouthUv,
  vertexNormals,
  type MorphableModel,
} from '@facekit/morphable'
import { createParameters, disposeParameters, type ParameterTree } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'
import type { FaceGeometry } from '../face.js'
import type { ShapeChange } from '../options.js'

/** Numbers of one face. */
export type FaceNumbers = ParameterTree<Float32Array>

/** The numbers of a face whose shape is changed.
 *
 * @throws {ValueError} for an expression that the model does not have, too many coefficients, or what is no finite number
 */
export function changedFace(face: FaceNumbers, model: MorphableModel, change: ShapeChange): FaceNumbers {
  const { expression, identity } = change
  const named = expression && !('length' in expression) ? expression : undefined
  return {
    ...face,
    identity: withList('identity', face.identity, identity),
    expression: named
      ? withNames(face.expression, model.shape.expressionNames ?? [], named as Record<string, number>)
      : withList('expression', face.expression, expression as ArrayLike<number> | undefined),
  }
}

function withList(name: string, before: Float32Array, values?: ArrayLike<number>): Float32Array {
  if (values === undefined) return before
  if (values.length > before.length)
    throw new ValueError(`face: ${name} has ${values.length} coefficients, expected at most ${before.length}`)
  const after = before.slice()
  for (let k = 0; k < values.length; k++) after[k] = finite(`${name}[${k}]`, values[k])
  return after
}

function withNames(
  before: Float32Array,
  names: readonly string[],
  values: Readonly<Record<string, number>>,
): Float32Array {
  const after = before.slice()
  for (const [name, value] of Object.entries(values)) {
    const at = names.indexOf(name)
    if (at < 0)
      throw new ValueError(`face: there is no expression "${name}", expected one of ${names.join(', ')}`)
    after[at] = finite(name, value)
  }
  return after
}

function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new ValueError(`face: ${name} is ${value}, expected a finite number`)
  return value
}

/** What an expression changes of a face's geometry. New arrays. */
export async function faceSurface(
  face: FaceNumbers,
  model: MorphableModel,
): Promise<Pick<FaceGeometry, 'vertices' | 'normals'>> {
  const parameters = createParameters([face])
  const tensors = tf.tidy(() => {
    const vertices = evaluateShape(model, parameters)
    return [vertices, vertexNormals(vertices, model)]
  })
  disposeParameters(parameters)
  const [vertices, normals] = await Promise.all(tensors.map(read))
  tf.dispose(tensors)
  addMouthNormals(normals, vertices, model)
  return { vertices, normals }
}

/** Vertices between the lips that no triangle of the face has are given the mean normal of the mouth's triangles, by their areas. In place. */
function addMouthNormals(
  normals: Float32Array,
  vertices: Float32Array,
  { innerMouthTriangles }: MorphableModel,
): void {
  const isOwn = (v: number) => normals[3 * v] === 0 && normals[3 * v + 1] === 0 && normals[3 * v + 2] === 0
  const own = new Set(Array.from(innerMouthTriangles).filter(isOwn))
  for (let t = 0; t < innerMouthTriangles.length; t += 3) {
    const corners = innerMouthTriangles.subarray(t, t + 3)
    const [a, b, c] = Array.from(corners, (v) => 3 * v)
    for (const axis of [0, 1, 2]) {
      const [i, j] = [(axis + 1) % 3, (axis + 2) % 3]
      const edge = (to: number, along: number) => vertices[to + along] - vertices[a + along]
      const area = edge(b, i) * edge(c, j) - edge(b, j) * edge(c, i)
      for (const v of corners) if (own.has(v)) normals[3 * v + axis] += area
    }
  }
  for (const v of own) {
    const normal = normals.subarray(3 * v, 3 * v + 3)
    const length = Math.hypot(...normal) || 1
    normal.forEach((value, axis) => (normal[axis] = value / length))
  }
}

/** Geometry in model space: with its expression, without its pose. New arrays. */
export async function faceGeometry(
  face: FaceNumbers,
  model: MorphableModel,
  uncertainty: Float32Array | undefined,
): Promise<FaceGeometry> {
  const surface = await faceSurface(face, model)
  const mouthUv = innerMouthUv(model)
  return {
    ...surface,
    triangles: model.triangles.slice(),
    innerMouthTriangles: model.innerMouthTriangles.slice(),
    ...(model.uv && { uv: uvOf(model.uv) }),
    ...(mouthUv && { innerMouthUv: mouthUv }),
    ...(uncertainty && { uncertainty: uncertainty.slice() }),
  }
}

/** `[N * 2]`, a new array. */
export const uvOf = (uv: NonNullable<MorphableModel['uv']>): Float32Array =>
  Float32Array.from({ length: 2 * uv.shape[0] }, (_, i) => uv.get(i >> 1, i & 1))

/** Albedo at the vertices, linear RGB. */
export async function vertexColors(face: FaceNumbers, model: MorphableModel) {
  const parameters = createParameters([face])
  const tensors = tf.tidy(() => evaluateAlbedo(model, parameters.albedo))
  disposeParameters(parameters)
  const [diffuse, specular] = await Promise.all([tensors.diffuse, tensors.specular].map(read))
  tf.dispose([tensors.diffuse, tensors.specular])
  return { diffuse, specular }
}

const read = async (tensor: tf.Tensor) => Float32Array.from(await tensor.data())
