import { assertInRange, assertInteger, showValue, ValueError } from '@facekit/core'
import { constantPartSize, type ParameterName, parameterParts } from '@facekit/parameters'
import type {
  BackgroundOptions,
  CameraEffects,
  FixedParameters,
  FramingOptions,
  HairOptions,
  LightOptions,
  PoseOptions,
  SynthesizerOptions,
  OccluderOptions,
} from './synthesizer-options.js'

type Complete<T> = { [Key in keyof T]-?: NonNullable<T[Key]> }

/** Options with everything filled in. */
export interface SynthesizerSettings {
  size: number
  batch: number
  seed: number
  picturesPerIdentity: number
  identities: number | undefined
  identityDeviation: number
  expression: number
  pose: Complete<PoseOptions>
  framing: Complete<Omit<FramingOptions, 'distance'>> & Pick<FramingOptions, 'distance'>
  light: Complete<LightOptions>
  hair: Complete<HairOptions>
  occluders: Complete<OccluderOptions>
  background: Complete<BackgroundOptions>
  camera: Complete<CameraEffects>
  fixed: FixedParameters
}

const DEFAULTS: SynthesizerSettings = {
  size: 224,
  batch: 32,
  seed: 0,
  picturesPerIdentity: 1,
  identities: undefined,
  identityDeviation: 1,
  expression: 1,
  pose: { yaw: 70, pitch: 30, roll: 25 },
  framing: { scale: [0.65, 1.15], shift: 0.03, distance: undefined },
  light: { exposure: [0.5, 1.6], color: 0.5 },
  hair: { bald: 0.1 },
  occluders: {
    hat: 0.13,
    glasses: 0.25,
    sunglasses: 0.25,
    hand: 0.1,
    object: 0.08,
    mask: 0.04,
    scarf: 0.06,
    patch: 0.1,
  },
  background: { plain: 0.15 },
  camera: { faceSize: [30, 2000], blur: 1, noise: 1, color: 1, compression: 1 },
  fixed: {},
}

/** Names in `fixed`, for which there are no defaults. */
const FIXED: readonly ParameterName[] = ['identity', 'albedo', 'expression', 'rotation', 'sphericalHarmonics']

/** Fills in defaults and checks everything that does not depend on the model, unknown names too: what comes may be a JSON file.
 *
 * @param who - begins the messages
 * @throws {ValueError} that names the option
 */
export function completeOptions(
  options: SynthesizerOptions,
  who = 'createFaceSynthesizer',
): SynthesizerSettings {
  const given = assertNames(who, options, Object.keys(DEFAULTS))
  const settings = { ...DEFAULTS } as SynthesizerSettings
  for (const name of Object.keys(DEFAULTS) as (keyof SynthesizerSettings)[]) {
    const value = given[name]
    if (value === undefined) continue
    const plain = DEFAULTS[name]
    const group =
      name === 'fixed'
        ? assertNames(`${who}: fixed`, value, FIXED)
        : typeof plain === 'object'
          ? { ...plain, ...assertNames(`${who}: ${name}`, value, Object.keys(plain)) }
          : value
    Object.assign(settings, { [name]: group })
  }
  check(who, settings)
  return settings
}

/** @throws {ValueError} when the value is no object, or has another name than those */
function assertNames(who: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValueError(`${who} is ${showValue(value)}, expected an object`)
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new ValueError(`${who} has an unknown "${unknown}", expected ${names.join(', ')}`)
  }
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
}

function check(who: string, settings: SynthesizerSettings): void {
  const { size, batch, seed, picturesPerIdentity, identities, pose, framing, light, fixed } = settings
  assertInteger(`${who}: size`, size, 32, 1024)
  if (size % 8 !== 0) throw new ValueError(`${who}: size is ${size}, expected a multiple of 8`)
  assertInteger(`${who}: batch`, batch, 1, 4096)
  assertInteger(`${who}: seed`, seed, 0, 0xffffffff)
  assertInteger(`${who}: picturesPerIdentity`, picturesPerIdentity, 1)
  if (identities !== undefined) assertInteger(`${who}: identities`, identities, 1)
  assertInRange(`${who}: identityDeviation`, settings.identityDeviation, 0, 3)
  assertInRange(`${who}: expression`, settings.expression, 0, 1)
  assertInRange(`${who}: pose.yaw`, pose.yaw, 0, 90)
  assertInRange(`${who}: pose.pitch`, pose.pitch, 0, 60)
  assertInRange(`${who}: pose.roll`, pose.roll, 0, 180)
  assertRange(`${who}: framing.scale`, framing.scale, 0.05, 3)
  assertInRange(`${who}: framing.shift`, framing.shift, 0, 1)
  if (framing.distance !== undefined) {
    assertRange(`${who}: framing.distance`, framing.distance, 200, 100_000)
  }
  assertRange(`${who}: camera.faceSize`, settings.camera.faceSize, 8, 100_000)
  assertRange(`${who}: light.exposure`, light.exposure, 0.01, 10)
  assertInRange(`${who}: light.color`, light.color, 0, 1)
  for (const group of ['hair', 'occluders', 'background', 'camera'] as const) {
    for (const [name, value] of Object.entries(settings[group])) {
      if (name === 'faceSize') continue
      assertInRange(`${who}: ${group}.${name}`, value as number, 0, 1)
    }
  }
  for (const [name, values] of Object.entries(fixed)) checkFixed(`${who}: fixed.${name}`, name, values)
}

function checkFixed(who: string, name: string, values: unknown): void {
  const part = parameterParts.find((other) => other.name === name)
  const length = part && constantPartSize(part)
  const named = name === 'expression' && typeof values === 'object' && values !== null
  if (!Array.isArray(values) && !named) {
    throw new ValueError(`${who} is ${showValue(values)}, expected a list of numbers`)
  }
  for (const [key, value] of Object.entries(values as object)) {
    assertInRange(Array.isArray(values) ? `${who}[${key}]` : `${who}.${key}`, value as number, -1000, 1000)
  }
  if (length !== undefined && (values as unknown[]).length !== length) {
    throw new ValueError(`${who} has ${(values as unknown[]).length} numbers, expected ${length}`)
  }
}

function assertRange(who: string, range: unknown, minimum: number, maximum: number): void {
  if (!Array.isArray(range) || range.length !== 2 || !(range[0] <= range[1])) {
    throw new ValueError(`${who} is ${showValue(range)}, expected [smallest, largest]`)
  }
  for (const value of range as number[]) assertInRange(who, value, minimum, maximum)
}
