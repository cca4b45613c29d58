import { showValue, ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { readBaseModel } from './read-base-model.js'
import { readBytes } from './read-bytes.js'

/** The base models that come with the package. */
export type BaseModelVariant = 'scans' | 'learned' | 'synthetic'

/** Options of `loadBaseModel`. */
export interface LoadBaseModelOptions {
  /** `scans` (the default): statistics of scanned people, as samples of ICT-FaceKit show them, and its expressions; no photograph. `learned`:
   * statistics of photographs of people that are for research only. `synthetic`: made from anatomy and geometry alone; no photograph and no person's data
   * went in. See MODEL-CARD.md. Same triangles, regions and expression names; coefficients of one mean nothing in another. */
  variant?: BaseModelVariant
  /** Where the file `data/base-model-scans.safetensors` (or that of another variant) is, or its bytes; then
   * `variant` does not matter. Default: beside this package's code, which Node and the bundlers that understand
   * `new URL(..., import.meta.url)` (e.g. Vite) find by themselves. */
  source?: string | URL | Uint8Array
}

// Bundlers know this form, written out: they copy the file and put its new address here.
const shipped: Record<BaseModelVariant, () => URL> = {
  synthetic: () => new URL('../data/base-model.safetensors', import.meta.url),
  scans: () => new URL('../data/base-model-scans.safetensors', import.meta.url),
  learned: () => new URL('../data/base-model-learned.safetensors', import.meta.url),
}

const [WHO, DEFAULT_FILE] = ['loadBaseModel', 'base-model-scans.safetensors']

const loaded = new Map<BaseModelVariant, Promise<MorphableModel>>()

/** Loads the embedded face model: 80 identity, 52 expression and 52 albedo modes on 7,849 vertices.
 *
 * Reads one file of 3.7 MB (the variant `learned`: 2.3 MB; `synthetic`: 1.4 MB) from disk (Node) or by `fetch` (browser) and
 * subdivides its bases, about 0.2 s.
 * The second call returns the same model; a failed one is tried again.
 *
 * Space: mm, +x to the right of the picture, +y up, +z to the camera; the subject's left is at +x. Identity and albedo
 * coefficients are standard deviations; expression coefficients go from 0 (rest) to 1 (fully activated), named in
 * `shape.expressionNames` like ARKit's: `jawOpen`, `eyeBlinkLeft`, `eyeLookUpRight`, ... Vertices 0 to 467 are those of MediaPipe's face mesh.
 *
 * @memory plain arrays, about 25 MB, nothing to dispose
 * @throws {ModelFormatError} when the file cannot be fetched, is damaged or of another version
 * @throws {ValueError} for an unknown variant
 * @example
 * const model = await loadBaseModel()
 * model.layout // { identity: 80, expression: 52, albedo: 52 }
 */
export async function loadBaseModel(options: LoadBaseModelOptions = {}): Promise<MorphableModel> {
  if (options.source !== undefined) return readBaseModel(await readBytes(WHO, options.source, DEFAULT_FILE))
  const { variant = 'scans' } = options
  let promise = loaded.get(variant)
  if (!promise) loaded.set(variant, (promise = readShippedModel(variant).then(readBaseModel)))
  try {
    return await promise
  } catch (error) {
    loaded.delete(variant)
    throw error
  }
}

/** The bytes of a file that comes with the package. */
export async function readShippedModel(variant: BaseModelVariant): Promise<Uint8Array> {
  if (!Object.hasOwn(shipped, variant)) {
    throw new ValueError(
      `loadBaseModel: variant is ${showValue(variant)}, expected "scans", "learned" or "synthetic"`,
    )
  }
  return readBytes(WHO, shipped[variant](), DEFAULT_FILE)
}
