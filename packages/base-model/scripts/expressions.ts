import type { Eyeball } from './eyeballs.js'
import { expressionHandles, mirroredHandles, stillParts } from './expression-handles.js'
import { lowerLipRings, rightEyeRings, upperLipRings } from './face-parts.js'
import { skinTriangles } from './face-mesh.js'
import { SmoothDeformation, type Handles, type Vector } from './smooth-deformation.js'

/** One expression at full activation. */
export interface Expression {
  name: string
  /** `[468 * 3]` mm, displacement of the control vertices. */
  field: Float64Array
  /** Rotation of an eyeball about its centre: (pitch, yaw) in radians, up and to +x positive. */
  gaze?: { side: 'right' | 'left'; pitch: number; yaw: number }
}

const smoothstep = (from: number, to: number, x: number) => {
  const t = Math.min(Math.max((x - from) / (to - from), 0), 1)
  return t * t * (3 - 2 * t)
}

/** Axis of the opening jaw, mm: (y, z). Its joints slide forward as they turn, so it is below them, behind the mandible. */
const HINGE = { y: -20, z: -26 }
const JAW_SLIDE = { y: -2, z: 6 }
const JAW_OPENING = (21 * Math.PI) / 180
/** Width of the middle zone in which the left and the right half of an expression fade into each other, mm. */
const BLEND = 9

/** Makes all expression modes from the anatomy in `expression-handles.ts`. */
export function makeExpressions(
  neutral: Float64Array,
  triangles: readonly number[],
  mirror: readonly number[],
  eyeballs: readonly Eyeball[],
): Expression[] {
  const count = neutral.length / 3
  const surface = new SmoothDeformation(neutral, skinTriangles(triangles))
  const at = (i: number): Vector => [neutral[i * 3], neutral[i * 3 + 1], neutral[i * 3 + 2]]
  const mapField = (displace: (p: Vector, i: number) => Vector) => {
    const field = new Float64Array(count * 3)
    for (let i = 0; i < count; i++) field.set(displace(at(i), i), i * 3)
    return field
  }
  const half = (field: Float64Array, side: 'Left' | 'Right') =>
    mapField(([x], i) => {
      const weight = smoothstep(-BLEND, BLEND, side === 'Left' ? x : -x)
      return [field[i * 3] * weight, field[i * 3 + 1] * weight, field[i * 3 + 2] * weight]
    })
  const both = (name: string, field: Float64Array): Expression[] => [
    { name: `${name}Left`, field: half(field, 'Left') },
    { name: `${name}Right`, field: half(field, 'Right') },
  ]
  const fromHandles = (name: string) => {
    const { moves, still } = expressionHandles[name]
    return surface.solve(mirroredHandles(moves, still, mirror))
  }

  const jaw = jawWeights(surface, mirror)
  const rotateJaw = (angle: number) =>
    mapField(([, y, z], i) => {
      const [dy, dz] = [y - HINGE.y, z - HINGE.z]
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
      return [
        0,
        jaw[i] * (dy * cos - dz * sin - dy + JAW_SLIDE.y),
        jaw[i] * (dy * sin + dz * cos - dz + JAW_SLIDE.z),
      ]
    })
  const shiftJaw = (x: number) =>
    mapField(([, , z], i) => [x * jaw[i] * smoothstep(-40, 40, z), -0.04 * Math.abs(x) * jaw[i], 0])
  const expressions: Expression[] = [
    { name: 'jawOpen', field: rotateJaw(JAW_OPENING) },
    { name: 'jawForward', field: mapField((_, i) => [0, -1 * jaw[i], 8 * jaw[i]]) },
    { name: 'jawLeft', field: shiftJaw(8) },
    { name: 'jawRight', field: shiftJaw(-8) },
    {
      name: 'mouthPucker',
      field: surface.solve(roundedLips(at, mirror, { width: 0.6, forward: 8.5, open: 0.3 })),
    },
    {
      name: 'mouthFunnel',
      field: surface.solve(roundedLips(at, mirror, { width: 0.76, forward: 8, open: 5.2 })),
    },
    ...(['Left', 'Right'] as const).map((side) => ({
      name: `mouth${side}`,
      field: surface.solve(shiftedMouth(side === 'Left' ? 9 : -9, mirror)),
    })),
  ]
  for (const name of ['mouthRollUpper', 'mouthRollLower', 'mouthShrugUpper', 'mouthShrugLower']) {
    expressions.push({ name, field: fromHandles(name) })
  }
  for (const name of Object.keys(expressionHandles)) {
    if (!name.startsWith('mouthRoll') && !name.startsWith('mouthShrug')) {
      expressions.push(...both(name, fromHandles(name)))
    }
  }
  const lids = (upper: number, lower: number) =>
    surface.solve(slidingLids(at, mirror, eyeballs[0], upper, lower))
  expressions.push(...both('eyeBlink', lids(0.9, 0.14)))
  expressions.push(...both('eyeSquint', lids(0.22, 0.34)))
  expressions.push(...both('eyeWide', lids(-0.42, -0.08)))
  const degrees = Math.PI / 180
  for (const [name, pitch, yaw, upper, lower] of [
    ['Up', 24, 0, -0.3, -0.06],
    ['Down', -28, 0, 0.42, -0.16],
    ['In', 0, 28, 0, 0],
    ['Out', 0, -28, 0, 0],
  ] as const) {
    const [left, right] = both(`eyeLook${name}`, lids(upper, lower))
    // The subject's left eye is at +x: it looks in when it turns to -x.
    left.gaze = { side: 'left', pitch: pitch * degrees, yaw: -yaw * degrees }
    right.gaze = { side: 'right', pitch: pitch * degrees, yaw: yaw * degrees }
    expressions.push(left, right)
  }
  return expressions
}

/** How far each control vertex goes with the lower jaw, 0..1. */
function jawWeights(surface: SmoothDeformation, mirror: readonly number[]): Float64Array {
  const handles: Handles = new Map()
  const set = (weight: number, vertices: readonly number[]) => {
    for (const i of vertices) for (const j of [i, mirror[i]]) handles.set(j, [weight, 0, 0])
  }
  const { bridge, noseBase, lids, brows, forehead } = stillParts
  set(0, [
    ...bridge,
    ...noseBase,
    ...lids,
    ...brows,
    ...forehead,
    127,
    234,
    227,
    34,
    116,
    117,
    50,
    101,
    36,
    164,
  ])
  set(
    0.04,
    upperLipRings.flatMap((ring) => ring.slice(3, 6)),
  )
  set(
    0.12,
    upperLipRings.flatMap((ring) => [ring[2]]),
  )
  set(
    0.26,
    upperLipRings.flatMap((ring) => [ring[1]]),
  )
  set(
    0.44,
    upperLipRings.map((ring) => ring[0]),
  )
  set(
    0.68,
    lowerLipRings.flatMap((ring) => [ring[1]]),
  )
  set(
    0.86,
    lowerLipRings.flatMap((ring) => [ring[2]]),
  )
  set(
    0.97,
    lowerLipRings.flatMap((ring) => ring.slice(3, 6)),
  )
  set(1, [...stillParts.chin, 152, 148, 176, 149, 150, 200, 201, 18, 83])
  set(0.95, [136])
  set(0.82, [172])
  set(0.55, [58])
  set(0.26, [132])
  set(0.08, [93])
  const field = surface.solve(handles)
  return Float64Array.from({ length: field.length / 3 }, (_, i) => Math.min(Math.max(field[i * 3], 0), 1))
}

/** Lips drawn together and pushed forward. */
function roundedLips(
  at: (i: number) => Vector,
  mirror: readonly number[],
  { width, forward, open }: { width: number; forward: number; open: number },
): Handles {
  const handles = mirroredHandles(
    [],
    ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
    mirror,
  )
  for (const [rings, up] of [
    [upperLipRings, 1],
    [lowerLipRings, -1],
  ] as const) {
    rings.forEach((ring, r) => {
      ring.forEach((vertex, k) => {
        const [x, y] = at(vertex)
        // 1 in the middle of the lips, 0 at the corners.
        const middle = 1 - Math.abs(k - 5) / 5
        const round = Math.sqrt(middle)
        const narrow = r === 0 ? 0.9 : 1
        const level = -43.5
        handles.set(vertex, [
          (width - 1) * narrow * x,
          up * open * round * (0.6 + 0.15 * r) + 0.12 * (level - y) * (1 - round),
          forward * (0.55 + 0.45 * round) * (r === 0 ? 0.7 : r === 3 ? 0.9 : 1),
        ])
      })
    })
  }
  for (const i of [200, 18]) handles.set(i, [0, -0.3 * open * 0.4, 0.25 * forward])
  return handles
}

/** The whole mouth moved to one side. */
function shiftedMouth(x: number, mirror: readonly number[]): Handles {
  const handles = mirroredHandles([], ['bridge', 'lids', 'brows', 'forehead', 'sides', 'jaw'], mirror)
  for (const rings of [upperLipRings, lowerLipRings]) {
    for (const ring of rings) {
      ring.forEach((vertex, k) => {
        // The leading corner goes back around the teeth, the other one forward.
        const leading = ((k - 5) / 5) * Math.sign(x)
        handles.set(vertex, [x, 0.8 * Math.max(leading, 0), -2.2 * leading - 0.4])
      })
    }
  }
  return handles
}

/** Lids turned about the eye's horizontal axis, so that they slide over the eyeball.
 *
 * @param upper - part of the opening that the upper lid closes, negative to open
 * @param lower - the same for the lower lid
 */
function slidingLids(
  at: (i: number) => Vector,
  mirror: readonly number[],
  eyeball: Eyeball,
  upper: number,
  lower: number,
): Handles {
  const handles = mirroredHandles([], ['bridge', 'noseBase', 'brows', 'forehead', 'sides'], mirror)
  for (const i of [205, 206, 36, 50, 61]) for (const j of [i, mirror[i]]) handles.set(j, [0, 0, 0])
  const [, centerY, centerZ] = eyeball.center
  const polar = (i: number) => {
    const [, y, z] = at(i)
    return { angle: Math.atan2(y - centerY, z - centerZ), length: Math.hypot(y - centerY, z - centerZ) }
  }
  const turn = (vertex: number, by: number, lift: number) => {
    const { angle, length } = polar(vertex)
    const [, y, z] = at(vertex)
    const move: Vector = [
      0,
      centerY + (length + lift) * Math.sin(angle + by) - y,
      centerZ + (length + lift) * Math.cos(angle + by) - z,
    ]
    handles.set(vertex, move)
    handles.set(mirror[vertex], move)
  }
  const [edge, second, third] = rightEyeRings
  for (const corner of [0, 8]) {
    turn(edge[corner], 0, 0)
    turn(second[corner], 0, 0)
  }
  for (let k = 1; k < 8; k++) {
    const gap = polar(edge[k]).angle - polar(edge[16 - k]).angle
    const lift = upper > 0.5 ? 0.4 : 0
    turn(edge[k], -upper * gap, lift)
    turn(second[k], -0.62 * upper * gap, 0)
    turn(edge[16 - k], lower * gap, 0)
    turn(second[16 - k], 0.7 * lower * gap, 0)
    turn(third[k], -0.12 * upper * gap, 0)
    turn(third[16 - k], 0.4 * lower * gap, 0)
  }
  return handles
}
