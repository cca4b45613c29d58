import { readFile } from 'node:fs/promises'
import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import {
  assertParameters,
  createParameters,
  decodeParameters,
  expressionCoefficients,
  type FaceParameters,
  type ParameterTree,
} from '@facekit/parameters'
import { defaultCamera, type Camera } from '@facekit/render'

/** What of a parameters.json a rendering needs. */
export interface SavedFace {
  face: ParameterTree<Float32Array>
  expressionNames?: string[]
  /** Name of the face model that the coefficients belong to, if the file says it. */
  model?: string
  camera: Camera
  /** All that the file holds. */
  json: Readonly<Record<string, unknown>>
}

/** Reads the file of `facekit reconstruct`, or one of the same form.
 *
 * @throws {ValueError} when it cannot be read, is no JSON, or lacks a part of the parameters
 */
export async function readParametersFile(file: string): Promise<SavedFace> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const reasons: Record<string, string> = { ENOENT: 'no such file', EISDIR: 'is a folder, expected a file' }
    throw new ValueError(`${file}: ${reasons[cause.code ?? ''] ?? cause.message}`, { cause })
  })
  let json: Record<string, unknown>
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new ValueError(`${file}: is not JSON; expected a parameters.json of facekit reconstruct`, { cause })
  }
  const saved = decodeParameters(file, json)
  const { name } = (json.model ?? {}) as { name?: unknown }
  return {
    ...saved,
    ...(typeof name === 'string' && { model: name }),
    // Numbers of the camera are checked where the face is rendered.
    camera: { ...defaultCamera, ...(json.camera as Partial<Camera> | undefined) },
    json,
  }
}

/** Tensors of a saved face for a model. Expressions go by their names where both sides have some.
 *
 * @throws {ValueError} when the coefficients belong to another model, or the model lacks an expression that is in use
 * @throws {ShapeError} when the model has other numbers of coefficients
 */
export function parametersForModel(file: string, saved: SavedFace, model: MorphableModel): FaceParameters {
  if (saved.model !== undefined && saved.model !== model.name)
    throw new ValueError(
      `${file}: holds coefficients of model "${saved.model}", but the model is "${model.name}"; pass the right one with --model`,
    )
  const { expressionNames: names, face } = saved
  const known = model.shape.expressionNames
  let { expression } = face
  if (names && known) {
    const used = names.map((name, k): [string, number] => [name, expression[k]]).filter(([, x]) => x !== 0)
    expression = expressionCoefficients(
      `${file}: expressionNames`,
      Object.fromEntries(used),
      known,
      `model "${model.name}"`,
    )
  }
  const parameters = createParameters([{ ...face, expression }])
  const remedy = `the model is "${model.name}"; pass the right one with --model`
  assertParameters(file, parameters, { layout: model.layout, remedy })
  return parameters
}
