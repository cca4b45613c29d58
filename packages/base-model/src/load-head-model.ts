import { readBytes } from './read-bytes.js'
import { readHeadModel, type HeadModel } from './head/head-model.js'

/** Options of `loadHeadModel`. */
export interface LoadHeadModelOptions {
  /** Where the file `data/head.safetensors` is, or its bytes. Default: beside this package's code, as for `loadBaseModel`. */
  source?: string | URL | Uint8Array
}

let loaded: Promise<HeadModel> | undefined

/** Loads what a head has beyond the face: ears, neck, the back, teeth and tongue, 1.1 MB, for `completeHead`. The second call returns the same.
 *
 * It is estimated from samples of ICT-FaceKit, see NOTICE; teeth, gums and tongue are made of measures of dental anatomy.
 *
 * @throws {ModelFormatError} when the file cannot be fetched, is damaged or of another version
 */
export async function loadHeadModel(options: LoadHeadModelOptions = {}): Promise<HeadModel> {
  const read = async (source: string | URL | Uint8Array) =>
    readHeadModel(await readBytes('loadHeadModel', source, 'head.safetensors'))
  if (options.source !== undefined) return read(options.source)
  // Bundlers know this form, written out: they copy the file and put its new address here.
  loaded ??= read(new URL('../data/head.safetensors', import.meta.url))
  try {
    return await loaded
  } catch (error) {
    loaded = undefined
    throw error
  }
}
