import { ModelFormatError, readSafetensors } from '@facekit/core'
import { loadLayersWeights } from '@facekit/engine'
import type { ParameterLayout } from '@facekit/parameters'
import { io } from '@tensorflow/tfjs-core'
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers'
import { checkTopology } from './check-topology.js'
import type { Backbone } from './backbone.js'
import { createEmptyRegressor, findBackbone, isBackboneName, type BackboneName } from './create-regressor.js'
import type { FaceRegressor } from './face-regressor.js'
import { readModelJson } from './model-json.js'
import { readBytes } from './read-bytes.js'
import { readDescription } from './regressor-metadata.js'
import { wrapModel, type RegressorDescription } from './wrap-model.js'

/** Options of `loadRegressor`. */
export interface LoadRegressorOptions {
  /** The face model that it shall give coefficients of: a file for another one is refused. */
  for?: { name?: string; layout: ParameterLayout }
  /** The backbone, where it is not one of the package's. */
  backbone?: BackboneName | Backbone
}

/** Reads a regressor from a safetensors file of `saveRegressor`, or from the `model.json` of `exportRegressor`.
 *
 * @param source - path, address, or the safetensors file's bytes
 * @memory the regressor's variables, until `dispose`
 * @throws {ModelFormatError} when the file cannot be read, is damaged, or is of another format, backbone, layout or face model
 * @example
 * const regressor = await loadRegressor('face.safetensors', { for: model })
 */
export async function loadRegressor(
  source: string | URL | Uint8Array,
  options: LoadRegressorOptions = {},
): Promise<FaceRegressor> {
  const who = source instanceof Uint8Array ? 'loadRegressor' : `loadRegressor: ${String(source)}`
  if (!(source instanceof Uint8Array) && String(source).split(/[?#]/)[0].endsWith('.json'))
    return loadModelJson(who, source, options)
  const bytes = await readBytes(who, source)
  const { metadata, tensors } = readSafetensors(bytes, who)
  const description = readDescription(who, metadata)
  if (options.for) assertFits(who, description, options.for)
  const backbone = backboneOf(who, description.backbone, options.backbone)
  let numbers = 0
  for (const { data } of tensors.values()) numbers += data.length
  const regressor = createEmptyRegressor({ ...description, backbone }, numbers)
  try {
    loadLayersWeights(regressor.model, bytes, who)
  } catch (error) {
    regressor.dispose()
    throw error
  }
  return regressor
}

/** The layers are in the file: a backbone of one's own need not be given. */
async function loadModelJson(
  who: string,
  source: string | URL,
  options: LoadRegressorOptions,
): Promise<FaceRegressor> {
  const { topology, specs, weights, userDefinedMetadata } = await readModelJson(who, source)
  const text = Object.entries(userDefinedMetadata ?? {}).filter(([, value]) => typeof value !== 'object')
  const description = readDescription(
    who,
    Object.fromEntries(text.map(([key, value]) => [key, String(value)])) as Record<string, string>,
  )
  if (options.for) assertFits(who, description, options.for)
  checkTopology(who, topology, specs)
  const artifacts = { modelTopology: topology, weightSpecs: specs, weightData: weights }
  let model: LayersModel | undefined
  try {
    model = await loadLayersModel(io.fromMemory(artifacts))
    return wrapModel(model, description)
  } catch (error) {
    model?.dispose()
    throw new ModelFormatError(`${who}: its layers or weights do not fit (${(error as Error).message})`, {
      cause: error,
    })
  }
}

/** Checks that a regressor gives the coefficients of a face model.
 *
 * @throws {ModelFormatError} that says what differs
 */
export function assertFits(
  who: string,
  { layout, faceModel }: Pick<RegressorDescription, 'layout' | 'faceModel'>,
  model: { name?: string; layout: ParameterLayout },
): void {
  const differing = (['identity', 'expression', 'albedo'] as const).filter(
    (key) => layout[key] !== model.layout[key],
  )
  const name = model.name === undefined ? 'the face model' : `face model "${model.name}"`
  if (differing.length > 0) {
    const counts = (of: ParameterLayout) => differing.map((key) => `${of[key]} ${key}`).join(', ')
    throw new ModelFormatError(
      `${who}: it gives ${counts(layout)} coefficients${faceModel ? ` of "${faceModel}"` : ''}, ${name} has ${counts(model.layout)}; use its own model, or train one for this`,
    )
  }
  if (faceModel !== undefined && model.name !== undefined && faceModel !== model.name) {
    throw new ModelFormatError(
      `${who}: it gives coefficients of "${faceModel}", not of ${name}; use its own model, or train one for this`,
    )
  }
}

/** Names of variants end in their width, so that a file finds its backbone. */
function backboneOf(who: string, name: string, given: LoadRegressorOptions['backbone']): Backbone {
  const backbone = given === undefined ? undefined : findBackbone(given)
  if (backbone !== undefined) {
    if (backbone.name === name) return backbone
    throw new ModelFormatError(
      `${who}: the file was saved with backbone "${name}", not "${backbone.name}"; pass that backbone`,
    )
  }
  if (isBackboneName(name)) return findBackbone(name)
  throw new ModelFormatError(
    `${who}: the file was saved with backbone "${name}", which this package does not have; pass it as options.backbone`,
  )
}
