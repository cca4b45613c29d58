import { ModelFormatError } from '@facekit/core'
import type { io } from '@tensorflow/tfjs-core'
import { readBytes } from './read-bytes.js'

/** A file `model.json` of tfjs, and the weights that it names. */
export interface ModelJson {
  /** The graph of layers, as Keras describes it. */
  topology: object
  specs: io.WeightsManifestEntry[]
  weights: ArrayBuffer
  /** What the writer added. */
  userDefinedMetadata?: Record<string, unknown>
}

/** Most bytes of weights that are read. */
const LIMIT = 2e9

/** Reads a model of tfjs-layers: `model.json`, and the weights beside it.
 *
 * @throws {ModelFormatError} when one of the files cannot be read, or they are damaged or something else
 */
export async function readModelJson(who: string, source: string | URL): Promise<ModelJson> {
  const fail = (what: string) =>
    new ModelFormatError(
      `${who}: ${what}; is it the model.json of a tfjs layers model, with its weights beside it?`,
    )
  const bytes = await readBytes(who, source)
  let json: io.ModelJSON
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as io.ModelJSON
  } catch {
    throw fail('it is no JSON')
  }
  const { modelTopology, weightsManifest } = json ?? {}
  if (typeof modelTopology !== 'object' || modelTopology === null || !Array.isArray(weightsManifest))
    throw fail('it has no modelTopology or no weightsManifest')
  const specs: io.WeightsManifestEntry[] = []
  const parts: Uint8Array[] = []
  let size = 0
  for (const group of weightsManifest) {
    if (!Array.isArray(group?.paths) || !Array.isArray(group?.weights))
      throw fail('its weightsManifest is damaged')
    specs.push(...group.weights)
    for (const path of group.paths) {
      const part = await readBytes(who, beside(source, String(path)))
      size += part.length
      if (size > LIMIT) throw fail(`its weights are larger than ${LIMIT / 1e9} GB`)
      parts.push(part)
    }
  }
  const weights = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    weights.set(part, offset)
    offset += part.length
  }
  const { userDefinedMetadata } = json
  return {
    topology: modelTopology as object,
    specs,
    weights: weights.buffer,
    ...(userDefinedMetadata && { userDefinedMetadata: userDefinedMetadata as Record<string, unknown> }),
  }
}

/** The address of a file in the same folder. */
function beside(source: string | URL, name: string): string {
  if (/[\\/]|^\.\.?$/.test(name))
    throw new ModelFormatError(`readModelJson: "${name}" is no name of a file beside it`)
  const address = String(source)
  return address.slice(0, Math.max(address.lastIndexOf('/'), address.lastIndexOf('\\')) + 1) + name
}
