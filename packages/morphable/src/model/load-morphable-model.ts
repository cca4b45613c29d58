import { decodeMorphableModel } from './decode-morphable-model.js'
import { readSource, sourceName, type ModelSource } from '../readers/model-source.js'
import type { MorphableModel } from './morphable-model.js'

/** Loads a face model from one .safetensors file.
 *
 * @param source - the path of a file (Node), a URL (`file:` in Node; `http:`, `https:`, `data:` and `blob:`, also as texts,
 * anywhere), or the bytes themselves
 * @returns plain data; nothing to dispose until it is evaluated (see `disposeModel`)
 * @throws {ModelFormatError} when the file is not there, truncated, damaged, foreign, too large or of another version
 */
export async function loadMorphableModel(source: ModelSource): Promise<MorphableModel> {
  const who = sourceName('loadMorphableModel', source)
  return decodeMorphableModel(await readSource(source, who), who)
}
