import type { MorphableModel } from '@facekit/morphable'
import { CROWNS, dentalArch, type DentalArch } from './dental-arch.js'
import { buildGum, type PlacedTooth } from './gums.js'
import { JAW_MOTIONS, jawMotions } from './jaw-motions.js'
import { Part } from './part.js'
import { buildSocket, type Tie } from './socket.js'
import { Tooth } from './tooth.js'
import { buildTongue, TONGUE_OUT } from './tongue.js'
import { along, type Vec3 } from './vector.js'

/** What is inside of the mean face's mouth. Vertices: socket, gums, tongue, teeth. */
export interface MouthMesh {
  /** `[V * 3]` mm, in the space of the mean face. */
  positions: number[]
  /** `[F * 3]` counter-clockwise seen from where they are seen: the socket from inside. */
  triangles: number[]
  /** Where socket, gums, tongue and teeth end. */
  ends: number[]
  /** `[V]` how far each goes with the jaw, and with the tongue, and where between its part's two colours it is, 0..1. */
  jaw: number[]
  reach: number[]
  tint: number[]
  /** `[S]` of the socket. */
  ties: Tie[]
  /** By ARKit's names `[5]`, `[5][12]`, see `jawMotions`; the last one is that of the tongue. */
  motionNames: readonly string[]
  motions: number[][]
}

/** From the front of the upper lip to the incisors: lips are 11 to 15 mm thick there (Arnett et al., "Soft tissue cephalometric analysis", Am. J. Orthod. Dentofacial
 * Orthop. 116 (1999)); the thin end, as shut lips are pressed. */
const LIP = 11
/** Upper incisors end this far below the line of the lips, lower ones this far behind them: Vig and Brundo, "The kinetics of anterior tooth display", J. Prosthet. Dent. 39 (1978); overjet and
 * overbite of normal occlusion. */
const [SHOWN, OVERJET, OVERBITE] = [2, 2.6, 2]
/** Teeth of a jaw at rest are 2 to 3 mm apart (Niswonger, "The rest position of the mandible", J. Am. Dent. Assoc. 21 (1934)), in a smile they touch: just apart. */
const REST = 0.7

/** Makes teeth, gums, tongue and socket of measures from the literature of dental anatomy, sewn to the lips of a model's mean face.
 *
 * @param lips - vertices along the edge of its lips
 */
export function buildMouth(model: MorphableModel, lips: readonly number[]): MouthMesh {
  const mean = model.shape.mean.data
  const point = (from: ArrayLike<number>, v: number): Vec3 => [from[3 * v], from[3 * v + 1], from[3 * v + 2]]
  const [upperLip, stomion] = [51, 62].map((l) => point(mean, model.landmarks[l]))
  const edge: Vec3 = [0, stomion[1] - SHOWN, upperLip[2] - LIP]
  const upper = dentalArch('upper', edge)
  const lower = dentalArch(
    'lower',
    along(edge, [OVERBITE - REST, [0, 1, 0]], [-OVERJET, [0, 0, 1]]),
    OVERBITE,
  )
  const jawOpen = model.shape.expressionNames!.indexOf('jawOpen')
  const opened = model.shape.expression.data.subarray(3 * jawOpen * model.vertexCount)

  const parts = [new Part(), new Part(), new Part(), new Part()]
  const [socket, gums, tongue, teeth] = parts
  const ties = buildSocket(
    socket,
    { places: lips.map((v) => point(mean, v)), opened: lips.map((v) => point(opened, v)) },
    upper,
    lower,
  )
  for (const [arch, crowns, jaw] of [
    [upper, CROWNS.upper, 0],
    [lower, CROWNS.lower, 1],
  ] as const) {
    const placed = placeTeeth(arch, crowns)
    buildGum(gums, arch, placed, jaw)
    for (const { tooth } of placed) tooth.build(teeth, jaw)
  }
  buildTongue(tongue, lower)

  const ends: number[] = []
  const triangles: number[] = []
  let count = 0
  for (const part of parts) {
    for (const v of part.triangles) triangles.push(count + v)
    count += part.positions.length
    ends.push(count)
  }
  return {
    positions: parts.flatMap((part) => part.positions.flat()),
    triangles,
    ends,
    jaw: parts.flatMap((part) => part.jaw),
    reach: parts.flatMap((part) => part.reach),
    tint: parts.flatMap((part) => part.tint),
    ties,
    motionNames: [...JAW_MOTIONS, 'tongueOut'],
    motions: [...jawMotions(model), [...Array<number>(9).fill(0), ...TONGUE_OUT]],
  }
}

/** Crowns side by side from the midline to both ends, in the order of growing s. */
function placeTeeth(arch: DentalArch, crowns: (typeof CROWNS)[keyof typeof CROWNS]): PlacedTooth[] {
  let from = 0
  const half = crowns.map((crown) => {
    const s = from + crown.width / 2
    from += crown.width
    return { crown, s }
  })
  return [...half.toReversed().map(({ crown, s }) => ({ crown, s: -s })), ...half].map(({ crown, s }) => ({
    tooth: new Tooth(crown, arch, s),
    s,
  }))
}
