/** What is sampled, and from where: ranges are `[smallest, largest]`, shares 0..1 of all pictures. */
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
  occluders?: OccluderOptions
  background?: BackgroundOptions
  camera?: CameraEffects
  fixed?: FixedParameters
}

/** How heads are turned. */
export interface PoseOptions {
  /** Largest yaw, pitch and roll, degrees to both sides, up to 90, 60 and 180. Default 70, 30 and 25. */
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
  /** Of the camera from the head, mm, from 200: 300 is a selfie, 5,000 a telephoto lens; the focal length follows, so that faces stay as
   * large. Default: the camera of `renderFace`, with which `parameters` tell everything; else `SyntheticBatch.camera` is needed too. */
  distance?: readonly [number, number] | undefined
}

/** What light there is. */
export interface LightOptions {
  /** Brightness of a frontal surface. Default [0.5, 1.6]. */
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
export interface OccluderOptions {
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
  /** Pixels that the face has, from side to side, in the file from which the picture is cut. Where that is fewer than in the picture, it
   * is enlarged, noise and blocks with it. Weighed by `blur`. Default [30, 2000], evenly by its logarithm. */
  faceSize?: readonly [number, number]
  /** Low resolution, defocus and motion. Default 1. */
  blur?: number
  /** Default 1. */
  noise?: number
  /** White balance, saturation, contrast, gamma. Default 1. */
  color?: number
  /** Blocks as JPEG makes them. Default 1. */
  compression?: number
}

/** What is the same in all pictures instead of random. */
export interface FixedParameters {
  /** Coefficients, in standard deviations; those that are missing at the end are 0. */
  identity?: readonly number[]
  albedo?: readonly number[]
  /** Coefficients in order, or by name: `{ jawOpen: 0.5 }`. */
  expression?: readonly number[] | Readonly<Record<string, number>>
  /** Pitch, yaw and roll, degrees. */
  rotation?: readonly [number, number, number]
  /** `[27]`: nine rows of red, green, blue. */
  sphericalHarmonics?: readonly number[]
}
