import { assertInRange, assertInteger, ValueError } from '@facekit/core'

/** What is drawn, and from where: ranges are `[smallest, largest]`, shares 0..1 of all pictures. */
export interface SynthesizerOptions {
  /** S, width and height of the pictures, a multiple of 8 from 32 to 1024. Default 224. */
  size?: number
  /** B. Default 32. */
  batch?: number
  /** A whole number from 0 to 2^32 - 1; the same seed gives the same pictures, however they are batched. Default 0. */
  seed?: number
  /** Consecutive pictures that show the same person. Default 1. */
  picturesPerIdentity?: number
  /** Different people; after the last the first comes again. Default: all different. */
  identities?: number
  /** Standard deviation of the identity coefficients. Default 1. */
  identityDeviation?: number
  /** How strong expressions are: 0 rest, 1 all up to the strongest. Default 1. */
  expression?: number
  pose?: PoseOptions
  framing?: FramingOptions
  light?: LightOptions
}

/** How heads are turned. */
export interface PoseOptions {
  /** Largest yaw, pitch and roll, degrees to both sides. Default 70, 30 and 25. */
  yaw?: number
  pitch?: number
  roll?: number
}

/** Where the face lies in the picture, relative to facekit's aligned crop. */
export interface FramingOptions {
  /** Size relative to the aligned face. Default [0.8, 1.15]. */
  scale?: readonly [number, number]
  /** Standard deviation of the shift, in widths of the picture. Default 0.03. */
  shift?: number
}

/** What light there is. */
export interface LightOptions {
  /** Brightness of a frontal surface. Default [0.45, 1.4]. */
  exposure?: readonly [number, number]
  /** How coloured lights can be, 0..1. Default 0.5. */
  color?: number
}

type Complete<T> = { [Key in keyof T]-?: NonNullable<T[Key]> }

/** Options with everything filled in. */
export type SynthesizerSettings = Complete<
  Omit<SynthesizerOptions, 'pose' | 'framing' | 'light' | 'identities'>
> & {
  identities: number | undefined
  pose: Complete<PoseOptions>
  framing: Complete<FramingOptions>
  light: Complete<LightOptions>
}

/** Fills in defaults and checks.
 *
 * @throws {ValueError} that names the option
 */
export function completeOptions(options: SynthesizerOptions): SynthesizerSettings {
  const settings: SynthesizerSettings = {
    size: options.size ?? 224,
    batch: options.batch ?? 32,
    seed: options.seed ?? 0,
    picturesPerIdentity: options.picturesPerIdentity ?? 1,
    identities: options.identities,
    identityDeviation: options.identityDeviation ?? 1,
    expression: options.expression ?? 1,
    pose: { yaw: 70, pitch: 30, roll: 25, ...options.pose },
    framing: { scale: [0.8, 1.15], shift: 0.03, ...options.framing },
    light: { exposure: [0.45, 1.4], color: 0.5, ...options.light },
  }
  const who = 'createFaceSynthesizer'
  const { size, batch, seed, picturesPerIdentity, identities, pose, framing, light } = settings
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
  assertRange(`${who}: light.exposure`, light.exposure, 0.01, 10)
  assertInRange(`${who}: light.color`, light.color, 0, 1)
  return settings
}

function assertRange(who: string, range: readonly [number, number], minimum: number, maximum: number): void {
  if (!Array.isArray(range) || range.length !== 2 || !(range[0] <= range[1])) {
    throw new ValueError(`${who} is ${JSON.stringify(range)}, expected [smallest, largest]`)
  }
  for (const value of range as readonly number[]) assertInRange(who, value, minimum, maximum)
}
