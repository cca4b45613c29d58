import type { Random } from '@facekit/core'
import { VERSIONS } from '../scene/build-scene.js'
import type { SynthesizerSettings } from '../complete-options.js'

/** Natural hair, linear: black, browns, blonds, reds, grey, white. */
const HAIR: readonly (readonly [number, number, number])[] = [
  [0.012, 0.01, 0.01],
  [0.022, 0.016, 0.013],
  [0.05, 0.032, 0.022],
  [0.085, 0.052, 0.032],
  [0.14, 0.09, 0.052],
  [0.24, 0.16, 0.09],
  [0.38, 0.27, 0.16],
  [0.52, 0.42, 0.29],
  [0.2, 0.075, 0.03],
  [0.13, 0.045, 0.025],
  [0.17, 0.165, 0.16],
  [0.36, 0.35, 0.34],
  [0.62, 0.6, 0.57],
]

/** What the model's irises are multiplied by: dark, brown, hazel, as they are. */
const IRIS: readonly (readonly [number, number, number])[] = [
  [0.22, 0.14, 0.1],
  [0.3, 0.2, 0.14],
  [0.55, 0.34, 0.2],
  [0.8, 0.62, 0.4],
  [1, 1, 1],
  [0.7, 0.9, 1.15],
]

const oneOf = (random: Random, count: number, weight = 1): Float32Array => {
  const result = new Float32Array(count)
  result[random.integer(count)] = weight
  return result
}

const log = (random: Random, from: number, to: number) =>
  Math.exp(random.uniform(Math.log(from), Math.log(to)))

/** A colour of dye, cloth or paint. */
function samplePaint(random: Random): number[] {
  const level = random.uniform(0.01, 0.85) ** 1.6
  const vivid = random.uniform() < 0.4 ? 1 : 0.3
  return [0, 1, 2].map(() => Math.min(0.95, Math.max(0.004, level * Math.exp(random.normal(0, vivid)))))
}

/** What belongs to a person for good: the colour of hair, where it still grows, how it lies.
 *
 * @param tone - of the skin, 0 the palest, 1 the darkest
 */
export function sampleHair(random: Random, bald: number, tone: number) {
  // Most people's hair is dark, and that of dark people nearly always.
  const dark = random.uniform() < (tone > 0.5 ? 0.85 : 0.45)
  const natural = HAIR[dark ? random.integer(4) : random.integer(HAIR.length)]
  const dyed = random.uniform() < 0.04
  const color = dyed ? samplePaint(random) : natural.map((value) => value * log(random, 0.7, 1.4))
  const brow = dyed ? HAIR[random.integer(5)] : color.map((value) => value * random.uniform(0.35, 0.8))
  const styles = new Float32Array(VERSIONS.hair)
  const share = random.uniform() < 0.6 ? 1 : random.uniform(0.5, 0.9)
  const volume = random.uniform(0.75, 1.2)
  styles[random.integer(VERSIONS.hair)] += share * volume
  styles[random.integer(VERSIONS.hair)] += (1 - share) * volume
  const man = random.uniform() < 0.55
  const kind = random.uniform()
  // Nothing, stubble, moustache, goatee, full beard.
  const beard =
    !man || kind < 0.4
      ? [0, 0, 0]
      : kind < 0.6
        ? [1, 1, 1]
        : kind < 0.7
          ? [0, 1, 0]
          : kind < 0.82
            ? [0, 1, 1]
            : [1, 1, 1]
  const bright = random.uniform(0.55, 1.25)
  const iris = log(random, 0.5, 1.3)
  const stubble = kind < 0.6 ? random.uniform(0.05, 0.35) : random.uniform(0.4, 1)
  return {
    hairOn: [random.uniform() < bald ? 0 : 1],
    hairMix: styles,
    hairColor: color,
    hairTips: color.map((value) => value * log(random, 0.8, 1.8)),
    browColor: brow as number[],
    // Frequency of strands across and along, waves, contrast, gloss, wildness of the edge.
    hairTexture: [
      log(random, 4, 16),
      log(random, 0.3, 1.6),
      random.uniform(0, 0.5) ** 1.5,
      random.uniform(0.2, 0.9),
      random.uniform(0, 0.9) ** 2,
      random.uniform(0.5, 4),
    ],
    hairOffset: [random.uniform(), random.uniform()],
    beardMix: beard,
    beardLook: [stubble, random.uniform(0.7, 1.3)],
    beardColor: (brow as number[]).map((value) => value * random.uniform(0.6, 1.1)),
    // How broad, how dense, how sharp its edge.
    browLook: [random.uniform(0.1, 0.62), random.uniform(0.1, 0.95) ** 0.7, log(random, 1.5, 6)],
    // Blotches, pores, freckles.
    skinLook: [
      random.uniform(0.02, 0.16),
      random.uniform(0.01, 0.12),
      random.uniform() < 0.15 ? random.uniform(0, 0.5) : 0,
    ],
    skinOffset: [random.uniform(), random.uniform()],
    // Most irises are dark.
    irisTint: IRIS[random.integer(IRIS.length)].map((value) => value * iris),
    // Lines of the upper and of the lower lashes, and between the lips: how dark.
    lineLook: [random.uniform(0.2, 0.88), random.uniform(0, 0.45), random.uniform(0.1, 0.65)],
    teethColor: [0.62, 0.56, 0.47].map((value) => value * bright * random.uniform(0.95, 1.05)),
  }
}

/** What is put on, held, or made up for one picture. */
export function sampleOccluders(random: Random, { occluders }: SynthesizerSettings) {
  const happens = (share: number) => random.uniform() < share
  const hat = happens(occluders.hat)
  const glasses = happens(occluders.glasses)
  const dark = happens(occluders.sunglasses)
  const makeup = happens(0.25)
  const painted = makeup || happens(0.2)
  const hand = sampleHandPose(random)
  const object = sampleObjectPose(random)
  const grey = () => {
    const level = random.uniform(0.005, 0.6) ** 2
    return [level, level, level]
  }
  return {
    hatOn: [hat ? 1 : 0],
    hatMix: oneOf(random, VERSIONS.hat, random.uniform(0.85, 1.2)),
    brimOn: [hat && happens(0.55) ? 1 : 0],
    brimMix: oneOf(random, VERSIONS.brim),
    glassesOn: [glasses ? 1 : 0],
    glassesMix: oneOf(random, VERSIONS.glasses),
    glassesPlace: [random.normal(0, 2.5) - (happens(0.1) ? random.uniform(4, 14) : 0), random.uniform(-2, 4)],
    frameColor: happens(0.45) ? grey() : samplePaint(random),
    lensColor: dark
      ? happens(0.6)
        ? grey().map((value) => value * 0.3)
        : samplePaint(random)
      : [0.4, 0.45, 0.45],
    // Tint, how it fades downwards, mirror, where the reflection comes from.
    lensLook: [
      dark ? random.uniform(0.6, 0.98) : random.uniform(0, 0.12),
      dark && happens(0.4) ? random.uniform(0, 0.6) : 0,
      random.uniform() ** 3 * (dark ? 0.7 : 0.45),
      random.uniform(),
      random.uniform(),
    ],
    handOn: [happens(occluders.hand) ? 1 : 0],
    handMix: oneOf(random, VERSIONS.hand),
    handRotation: hand.rotation,
    handTranslation: hand.translation,
    handScale: [hand.scale],
    handTint: [0, 1, 2].map(() => log(random, 0.8, 1.15)),
    objectOn: [happens(occluders.object) ? 1 : 0],
    objectMix: oneOf(random, VERSIONS.object),
    objectRotation: object.rotation,
    objectTranslation: object.translation,
    objectScale: [object.scale],
    objectColor: happens(0.15)
      ? [0.45, 0.27, 0.19].map((value) => value * random.uniform(0.3, 1.3))
      : samplePaint(random),
    maskOn: [happens(occluders.mask) ? 1 : 0],
    maskColor: happens(0.5) ? [0.55, 0.68, 0.72] : samplePaint(random),
    scarfOn: [happens(occluders.scarf) ? 1 : 0],
    scarfColor: samplePaint(random),
    hatColor: samplePaint(random),
    clothColor: samplePaint(random),
    clothOther: samplePaint(random),
    // Height of the neckline, how pointed it is, how much of a pattern, its kind.
    clothLook: [
      random.uniform(-190, -118),
      random.uniform(0, 0.9) ** 1.5,
      happens(0.4) ? random.uniform(0, 1) : 0,
    ],
    patternTransform: sampleTransform(random, 0.6, 5),
    patternStrength: [happens(0.5) ? random.uniform(0.2, 1) : 0],
    blush: [makeup ? random.uniform(0, 0.5) : 0],
    lidColor: samplePaint(random),
    lidStrength: [makeup ? random.uniform(0, 0.6) : 0],
    // Brown to black; how dense, how long, and how dark and how broad the liner is: a share of the field that is left free.
    lashColor: [0.03, 0.022, 0.018].map(
      (value) => value * (painted ? random.uniform(0.15, 0.6) : log(random, 0.4, 3)),
    ),
    lashLook: [
      painted ? random.uniform(0.55, 1) : random.uniform(0, 0.75),
      painted ? random.uniform(0.5, 1.05) : random.uniform(0.15, 0.75),
      painted && happens(0.7) ? random.uniform(0.4, 0.97) : 0,
      random.uniform(0.3, 0.75),
    ],
    lipColor: happens(0.8)
      ? [0.42, 0.06, 0.07].map((value) => value * random.uniform(0.5, 1.5))
      : samplePaint(random),
    lipStrength: [makeup ? random.uniform(0.2, 0.85) : 0],
    // Shadow of what is near; of something unseen: strength, threshold, sharpness, size, place.
    contactShadow: [random.uniform(0.1, 0.75)],
    castShadow: [
      happens(0.3) ? random.uniform(0.2, 0.75) : 0,
      random.normal(0.3, 0.6),
      log(random, 1.5, 25),
      log(random, 0.12, 0.6),
      random.uniform(),
      random.uniform(),
    ],
  }
}

/** A linear map and a shift of texture coordinates: `[6]`. */
export function sampleTransform(random: Random, from: number, to: number): number[] {
  const size = log(random, from, to)
  const angle = random.uniform(0, 2 * Math.PI)
  const stretch = log(random, 0.6, 1.7)
  const [c, s] = [Math.cos(angle) * size, Math.sin(angle) * size]
  return [c * stretch, -s, s * stretch, c, random.uniform(), random.uniform()]
}

interface Placement {
  rotation: number[]
  translation: number[]
  scale: number
}

/** About where the surface of a face is at a place, mm. */
const faceDepth = (x: number, y: number) => 62 - (x * x) / 110 - (y + 5) ** 2 / 300

function sampleHandPose(random: Random): Placement {
  const [x, y] = [random.normal(0, 38), random.normal(-35, 42)]
  // Fingers come from below, inwards, or from the side.
  const roll = Math.sign(x || 1) * random.uniform(-0.4, 1.6)
  const rotation = [random.normal(0, 0.35), random.normal(0, 0.45), roll]
  const flip = random.uniform() < 0.3
  const anchor = [0, random.uniform(20, 105), 0]
  const target = [x, y, faceDepth(x, y) + random.uniform(14, 32)]
  return place(
    [rotation[0], rotation[1] + (flip ? Math.PI : 0), rotation[2]],
    anchor,
    target,
    random.uniform(0.85, 1.08),
  )
}

function sampleObjectPose(random: Random): Placement {
  const [x, y] = [random.normal(0, 50), random.normal(-50, 50)]
  const rotation = [random.normal(0.5, 0.6), random.uniform(-Math.PI, Math.PI), random.normal(0, 0.8)]
  const anchor = [0, random.uniform(-20, 60), 0]
  const target = [x, y, faceDepth(x, y) + random.uniform(35, 110)]
  return place(rotation, anchor, target, random.uniform(0.7, 1.3))
}

/** The pose that takes an anchor to a target: scale R (anchor + translation) = target. */
function place(
  rotation: number[],
  anchor: readonly number[],
  target: readonly number[],
  scale: number,
): Placement {
  const [sx, sy, sz] = rotation.map(Math.sin)
  const [cx, cy, cz] = rotation.map(Math.cos)
  const rows = [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ]
  const translation = [0, 1, 2].map(
    (c) => (rows[0][c] * target[0] + rows[1][c] * target[1] + rows[2][c] * target[2]) / scale - anchor[c],
  )
  return { rotation, translation, scale }
}
