import { ModelFormatError } from '@facekit/core'
import type { NdArray } from 'ndarray'
import { denseData } from './dense-data.js'
import { firstNotFinite } from './first-not-finite.js'
import type { MorphableModel } from './morphable-model.js'

/** Most vertices that a model may have: far more than any face model, far fewer than what exhausts memory. */
const LARGEST_COUNT = 10_000_000
const LARGEST_LAYOUT = 10_000

/** Checks all that a model holds: sizes, ranges of indices, finite values, and that they agree.
 *
 * @param who - begins the message
 * @throws {ModelFormatError} that names the first part that is wrong
 */
export function validateModel(model: MorphableModel, who = 'validateModel'): void {
  const fail = (what: string): never => {
    throw new ModelFormatError(`${who}: ${what}`)
  }
  const { vertexCount: N, layout, shape, albedo } = model
  const whole = (name: string, value: number, minimum: number, maximum: number) => {
    if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
      fail(`${name} is ${String(value)}, expected a whole number from ${minimum} to ${maximum}`)
    }
  }
  for (const key of ['name', 'license', 'origin'] as const) {
    if (typeof model[key] !== 'string') fail(`${key} is ${String(model[key])}, expected a text`)
  }
  whole('vertexCount', N, 1, LARGEST_COUNT)
  whole('layout.identity', layout?.identity, 0, LARGEST_LAYOUT)
  whole('layout.expression', layout.expression, 0, LARGEST_LAYOUT)
  whole('layout.albedo', layout.albedo, 0, LARGEST_LAYOUT)

  const numbers = (name: string, array: NdArray<Float32Array> | undefined, expected: number[]) => {
    if (!array || array.shape.length !== expected.length || array.shape.some((n, i) => n !== expected[i])) {
      fail(
        `${name} is ${array ? `[${array.shape.join(', ')}]` : 'missing'}, expected [${expected.join(', ')}]`,
      )
    }
    const data = denseData(array!)
    const i = firstNotFinite(data)
    if (i >= 0) fail(`${name} holds ${data[i]} at position ${i}, expected finite numbers`)
  }
  numbers('shape.mean', shape?.mean, [N, 3])
  numbers('shape.identity', shape.identity, [layout.identity, N, 3])
  numbers('shape.expression', shape.expression, [layout.expression, N, 3])
  numbers('albedo.diffuseMean', albedo?.diffuseMean, [N, 3])
  numbers('albedo.diffuse', albedo.diffuse, [layout.albedo, N, 3])
  numbers('albedo.specularMean', albedo.specularMean, [N, 3])
  numbers('albedo.specular', albedo.specular, [layout.albedo, N, 3])
  if (model.uv) numbers('uv', model.uv, [N, 2])
  const { expressionNames, expressionRange } = shape
  if (expressionNames && expressionNames.length !== layout.expression) {
    fail(`shape.expressionNames has ${expressionNames.length} names, expected ${layout.expression}`)
  }
  if (expressionRange && !(expressionRange.length === 2 && expressionRange[0] < expressionRange[1])) {
    fail(`shape.expressionRange is [${expressionRange.join(', ')}], expected [minimum, maximum]`)
  }

  const indices = (
    name: string,
    list: Int32Array | undefined,
    multiple: number,
    length?: number,
    lowest = 0,
  ) => {
    if (!(list instanceof Int32Array)) return fail(`${name} is missing or no Int32Array`)
    if (length !== undefined && list.length !== length) {
      fail(`${name} has ${list.length} vertices, expected ${length}`)
    }
    if (list.length % multiple !== 0)
      fail(`${name} has ${list.length} indices, expected a multiple of ${multiple}`)
    for (const index of list) {
      if (index < lowest || index >= N) fail(`${name} names vertex ${index}, the model has ${N}`)
    }
  }
  indices('triangles', model.triangles, 3)
  if (model.polygons) indices('polygons', model.polygons, 4, undefined, -1)
  indices('landmarks', model.landmarks, 1, 68)
  if (model.denseLandmarks) {
    indices('denseLandmarks', model.denseLandmarks, 1)
    const other = model.landmarks.findIndex((vertex, l) => model.denseLandmarks![l] !== vertex)
    if (other >= 0) {
      fail(
        `denseLandmarks[${other}] is ${model.denseLandmarks[other]}, expected landmark ${other} (vertex ${model.landmarks[other]}): the 68 come first`,
      )
    }
  }
  if (model.denseMirror) checkMirror(model.denseMirror, model.denseLandmarks?.length ?? 0, fail)
  indices('innerMouthTriangles', model.innerMouthTriangles, 3)
  if (model.jawContours) {
    if (model.jawContours.length !== 17) fail(`jawContours has ${model.jawContours.length} rows, expected 17`)
    for (const [i, row] of model.jawContours.entries()) indices(`jawContours[${i}]`, row, 1)
  }
  for (const [name, list] of Object.entries(model.regions ?? {})) indices(`regions.${name}`, list, 1)
}

/** Each landmark is the mirror image of its mirror image. */
function checkMirror(mirror: Int32Array, count: number, fail: (what: string) => never): void {
  if (!(mirror instanceof Int32Array) || mirror.length !== count) {
    fail(`denseMirror has ${mirror?.length} places, expected ${count}, one for each of denseLandmarks`)
  }
  const wrong = mirror.findIndex((partner, l) => mirror[partner] !== l)
  if (wrong >= 0) fail(`denseMirror[${wrong}] is ${mirror[wrong]}, whose mirror image is not ${wrong}`)
}
