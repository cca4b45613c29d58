import { ModelFormatError, readSafetensors, showValue } from '@facekit/core'
import { limitModes, type ModeLimits } from '../model/limit-modes.js'
import { arraysByName, knownArrayNames } from './arrays-by-name.js'
import type { ShapedArray } from './shaped-array.js'
import { createMorphableModel, type CreateModelOptions, type ModelArrays } from './create-morphable-model.js'
import { isRemote, readSource, sourceName, sourceStem, type ModelSource } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { isNpy, parseNpy } from '../numpy/parse-npy.js'
import { isPickle } from '../numpy/parse-pickle.js'
import { isZip, readNpz } from '../numpy/read-npz.js'
import { readPickledArrays } from '../numpy/read-pickled-arrays.js'

/** Options of `readArrayModel`. */
export interface ArrayModelOptions
  extends
    ModeLimits,
    Pick<CreateModelOptions, 'template' | 'crop'>,
    Partial<Omit<ModelArrays, 'mean' | 'triangles'>> {
  /** Modes of one array `shapedirs` that are identity, the others being expression. Default: told from the modes, which become smaller
   * within each basis; 300, as in FLAME, where that says nothing. */
  splitAt?: number
}

/** Reads a model out of arrays in a file: `.npz` (FLAME-like or your own), `.safetensors` of any origin, or a `.json` description.
 *
 * Arrays are found by name: `mean`, `v_template` or GNM Head's `template_vertex_positions`; `identity`, `shapedirs` (FLAME's identity, then expression) or
 * `vertex_identity_basis`; `expression`, `exprdirs` or `expression_basis`; `triangles`, `faces` or `f`; `landmarks` (68 vertices) or FLAME's `full_lmk_faces_idx` and `full_lmk_bary_coords`;
 * `diffuseMean`, `diffuse`, `specularMean`, `specular`; `uv`. FLAME's jaw joint becomes one more expression. FaceScape's bilinear
 * model (`shape_bm_core`, `id_mean`, `id_var`, `fv_indices`) becomes linear about its mean person. A JSON description has
 * these names, each with numbers (nested or flat) or the name of an .npy file beside it, and `name`, `license`, `origin`,
 * `millimetres`. What it lacks can be given as an option. No Python code is run: object arrays and pickles are refused.
 *
 * @throws {ModelFormatError} that names the array that is missing or wrong
 * @example
 * const model = await readArrayModel('flame.npz', { template: await loadBaseModel(), crop: 'face' })
 */
export async function readArrayModel(
  source: ModelSource,
  options: ArrayModelOptions = {},
): Promise<MorphableModel> {
  const { template, crop, identityModes, expressionModes, albedoModes, splitAt, ...given } = options
  const who = sourceName('readArrayModel', source)
  const bytes = await readSource(source, who)
  const found = await unpack(bytes, who, source)
  const model = createMorphableModel(
    {
      name: sourceStem(source) ?? 'arrays',
      ...found.texts,
      ...arraysByName(who, found.arrays, found.names, splitAt),
      ...given,
    },
    { who, ...(template && { template }), ...(crop && { crop }) },
  )
  return limitModes(model, { identityModes, expressionModes, albedoModes })
}

/** Millimetres of a unit by its name. */
const UNITS = new Map([
  ['m', 1000],
  ['metre', 1000],
  ['cm', 10],
  ['centimetre', 10],
  ['mm', 1],
  ['millimetre', 1],
])

interface Unpacked {
  arrays: Map<string, ShapedArray>
  names: string[]
  texts: Partial<
    Pick<ModelArrays, 'name' | 'license' | 'origin' | 'millimetres' | 'expressionNames' | 'expressionRange'>
  >
}

async function unpack(bytes: Uint8Array, who: string, source: ModelSource): Promise<Unpacked> {
  if (isZip(bytes)) {
    const { arrays, names } = await readNpz(bytes, who, (name) => knownArrayNames.has(name))
    return { arrays, names, texts: {} }
  }
  if (isPickle(bytes)) {
    const { arrays, names } = readPickledArrays(bytes, who, (name) => knownArrayNames.has(name))
    return { arrays, names, texts: {} }
  }
  if (isJson(bytes)) return parseDescription(bytes, who, source)
  const { tensors, metadata } = readSafetensors(bytes, who)
  const unit = UNITS.get(metadata.unit ?? '')
  return {
    // Others may be of a type that can't be read.
    arrays: new Map([...tensors].filter(([name]) => knownArrayNames.has(name))),
    names: [...tensors.keys()],
    texts: {
      ...(metadata.name && { name: metadata.name }),
      ...(metadata.license && { license: metadata.license }),
      ...(metadata.origin && { origin: metadata.origin }),
      ...(unit && { millimetres: unit }),
    },
  }
}

/** Whether bytes are a JSON object: its first letter is a brace, and text has no zeros. (A safetensors file begins with the length of its
 * header, eight bytes of which the last ones are 0; the others can be anything, spaces and braces too.) */
export function isJson(bytes: Uint8Array): boolean {
  const first = bytes.subarray(0, 64).find((byte) => byte > 0x20)
  return first === 0x7b && !bytes.subarray(0, 8).includes(0)
}

async function parseDescription(bytes: Uint8Array, who: string, source: ModelSource): Promise<Unpacked> {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<string, unknown>
  } catch (error) {
    throw new ModelFormatError(`${who}: is no JSON (${(error as Error).message})`, { cause: error })
  }
  const arrays = new Map<string, ShapedArray>()
  const texts: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(value)) {
    if (['name', 'license', 'origin'].includes(name) && typeof entry === 'string') texts[name] = entry
    else if (name === 'millimetres' && typeof entry === 'number' && entry > 0) texts[name] = entry
    else if (name === 'expressionNames' && isList(entry, 'string')) texts[name] = entry
    else if (name === 'expressionRange' && isList(entry, 'number') && entry.length === 2) texts[name] = entry
    else if (!knownArrayNames.has(name)) {
      throw new ModelFormatError(
        `${who}: ${showValue(name)} is unknown or of the wrong type, expected name, license, origin, millimetres, expressionNames, expressionRange, or an array such as mean, identity, expression, triangles, landmarks`,
      )
    } else if (typeof entry === 'string')
      arrays.set(name, await readNamedFile(entry, `${who}: ${name}`, source))
    else arrays.set(name, nestedArray(entry, `${who}: "${name}"`))
  }
  return { arrays, names: [...arrays.keys()], texts: texts as Unpacked['texts'] }
}

function isList<T extends 'string' | 'number'>(
  value: unknown,
  type: T,
): value is (T extends 'string' ? string : number)[] {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}

/** An .npy file beside the description. */
async function readNamedFile(name: string, who: string, source: ModelSource): Promise<ShapedArray> {
  if (!/^[\w .-]+\.npy$/.test(name)) {
    throw new ModelFormatError(`${who}: "${name}" is no name of an .npy file beside the description`)
  }
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new ModelFormatError(
      `${who}: "${name}" cannot be found, since the description came as bytes; pass its path`,
    )
  }
  const text = String(source)
  const beside =
    isRemote(text) || text.startsWith('file:')
      ? new URL(encodeURIComponent(name), text)
      : text.replace(/[^/\\]*$/, name)
  const bytes = await readSource(beside, `${who}: ${name}`)
  if (!isNpy(bytes)) throw new ModelFormatError(`${who}: ${name} is no .npy file`)
  return parseNpy(bytes, `${who}: ${name}`)
}

/** Nested lists of numbers, all of one shape. */
function nestedArray(value: unknown, who: string): ShapedArray {
  const shape: number[] = []
  for (let level = value; Array.isArray(level) && shape.length < 4; level = level[0]) shape.push(level.length)
  const data: number[] = []
  const collect = (level: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof level !== 'number')
        throw new ModelFormatError(`${who} holds ${typeof level}, expected numbers`)
      data.push(level)
      return
    }
    if (!Array.isArray(level) || level.length !== shape[depth]) {
      throw new ModelFormatError(
        `${who} has rows of different lengths, expected the shape [${shape.join(', ')}]`,
      )
    }
    for (const item of level) collect(item, depth + 1)
  }
  collect(value, 0)
  return { shape, data }
}
