import { showValue, ValueError } from '@facekit/core'
import { checkSynthesizerOptions, type SynthesizerOptions } from '@facekit/synthetic'
import { readSettings } from '../read-settings.js'

/** What a data set of rendered faces is made of; `dataset.json` holds it. */
export interface DatasetBuildConfig {
  /** Pictures. */
  count: number
  /** Pictures in a shard. */
  perShard: number
  /** Of the JPEG files, 1..100. */
  quality: number
  /** Name or file of the face model. */
  model: string
  /** Whether there is a picture of normals, and one of classes, for each face. */
  normals: boolean
  labels: boolean
  /** What is drawn; as for `createFaceSynthesizer`. */
  faces: SynthesizerOptions
}

const DEFAULTS = { count: 1000, perShard: 256, quality: 92, model: 'base', normals: true, labels: true }
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  count: [1, 100_000_000],
  perShard: [1, 100_000],
  quality: [1, 100],
}
/** Pictures that are rendered at a time, unless the configuration says otherwise: what fits into the memory of any machine. */
const BATCH = 8

/** Puts the configuration together: defaults, then the file, then flags.
 *
 * @param flags - undefined where not given
 * @throws {ValueError} that names the file and the field that is wrong
 */
export function completeConfig(
  file: { name: string; value: unknown } | undefined,
  flags: Partial<Pick<DatasetBuildConfig, 'count' | 'perShard' | 'quality' | 'model'>> & {
    size?: number
    seed?: number
  },
): DatasetBuildConfig {
  const who = file?.name ?? 'dataset build'
  const given = file ? assertObject(who, file.value) : {}
  const known = [...Object.keys(DEFAULTS), 'faces']
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new ValueError(`${who}: has an unknown field "${unknown}", expected ${known.join(', ')}`)
  }
  const { size, seed, ...plain } = flags
  const set = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined))
  const config = { ...DEFAULTS, ...given, ...set } as DatasetBuildConfig
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value: unknown = config[name as 'count']
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      throw new ValueError(
        `${who}: ${name} is ${showValue(value)}, expected a whole number from ${least} to ${most}`,
      )
    }
  }
  for (const name of ['normals', 'labels'] as const) {
    if (typeof config[name] !== 'boolean') {
      throw new ValueError(`${who}: ${name} is ${showValue(config[name])}, expected true or false`)
    }
  }
  if (typeof config.model !== 'string') {
    throw new ValueError(`${who}: model is ${showValue(config.model)}, expected a name or a file`)
  }
  const faces = {
    batch: BATCH,
    ...assertObject(`${who}: faces`, given.faces ?? {}),
    ...(size !== undefined && { size }),
    ...(seed !== undefined && { seed }),
  }
  return { ...config, faces: checkSynthesizerOptions(`${who}: faces`, faces) }
}

function assertObject(who: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValueError(`${who}: is ${showValue(value)}, expected an object`)
  }
  return value as Record<string, unknown>
}

/** Reads a JSON file.
 *
 * @throws {ValueError} when it is missing, or no JSON
 */
export async function readConfig(name: string): Promise<{ name: string; value: unknown }> {
  return { name, value: await readSettings(name) }
}
