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
  hair?: HairOptions
  things?: ThingsOptions
  background?: BackgroundOptions
  camera?: CameraEffects
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
  /** Size relative to the aligned face. Default [0.65, 1.15]. */
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

/** What grows. */
export interface HairOptions {
  /** Share of bald heads. Default 0.1. */
  bald?: number
}

/** How often there is something that hides the face: shares of the pictures. */
export interface ThingsOptions {
  /** Default 0.13. Caps, beanies, hoods, headscarves. */
  hat?: number
  /** Default 0.25, of which `sunglasses` (default 0.25) are dark. */
  glasses?: number
  sunglasses?: number
  /** Default 0.1. */
  hand?: number
  /** Default 0.08. Balls, boxes, poles, cups, microphones. */
  object?: number
  /** Default 0.04: over mouth and nose. */
  mask?: number
  /** Default 0.06: scarves and high collars. */
  scarf?: number
  /** Default 0.1: flat pieces of other pictures, most at the edge. */
  patch?: number
}

/** What lies behind. */
export interface BackgroundOptions {
  /** Share of plain backgrounds with smooth gradients. Default 0.15. */
  plain?: number
}

/** How strong a camera's faults are: 0 none, 1 as in bad videos. */
export interface CameraEffects {
  /** Low resolution and motion. Default 1. */
  blur?: number
  /** Default 1. */
  noise?: number
  /** White balance, saturation, contrast, gamma. Default 1. */
  color?: number
  /** Blocks as JPEG makes them. Default 1. */
  compression?: number
}

type Complete<T> = { [Key in keyof T]-?: NonNullable<T[Key]> }

/** Options with everything filled in. */
export type SynthesizerSettings = Complete<
  Omit<
    SynthesizerOptions,
    'pose' | 'framing' | 'light' | 'identities' | 'hair' | 'things' | 'background' | 'camera'
  >
> & {
  identities: number | undefined
  pose: Complete<PoseOptions>
  framing: Complete<FramingOptions>
  light: Complete<LightOptions>
  hair: Complete<HairOptions>
  things: Complete<ThingsOptions>
  background: Complete<BackgroundOptions>
  camera: Complete<CameraEffects>
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
    framing: { scale: [0.65, 1.15], shift: 0.03, ...options.framing },
    light: { exposure: [0.45, 1.4], color: 0.5, ...options.light },
    hair: { bald: 0.1, ...options.hair },
    things: {
      hat: 0.13,
      glasses: 0.25,
      sunglasses: 0.25,
      hand: 0.1,
      object: 0.08,
      mask: 0.04,
      scarf: 0.06,
      patch: 0.1,
      ...options.things,
    },
    background: { plain: 0.15, ...options.background },
    camera: { blur: 1, noise: 1, color: 1, compression: 1, ...options.camera },
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
  for (const group of ['hair', 'things', 'background', 'camera'] as const) {
    for (const [name, value] of Object.entries(settings[group])) {
      assertInRange(`${who}: ${group}.${name}`, value as number, 0, 1)
    }
  }
  return settings
}

function assertRange(who: string, range: readonly [number, number], minimum: number, maximum: number): void {
  if (!Array.isArray(range) || range.length !== 2 || !(range[0] <= range[1])) {
    throw new ValueError(`${who} is ${JSON.stringify(range)}, expected [smallest, largest]`)
  }
  for (const value of range as readonly number[]) assertInRange(who, value, minimum, maximum)
}
