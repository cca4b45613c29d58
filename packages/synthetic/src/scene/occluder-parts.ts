import { createRandom, labelOf, type Random } from '@facekit/core'
import type { Vector3 } from '../vector.js'
import { gridTriangles, mix, still, type MeshPart } from './mesh-part.js'

/** A part of which there are many versions. */
export interface VariedPart {
  part: MeshPart
  /** `[count * n * 3]` mm around the origin. */
  versions: Float32Array
}

const FINGER_RINGS = 8
const FINGER_SIDES = 9
const PALM_RINGS = 8
const PALM_SIDES = 14
const ARM_RINGS = 3

/** Hands in many poses: a palm, five fingers that bend, the beginning of an arm. Fingers point up (+y), the back of the hand to the
 * camera (+z), about as large as a hand. */
export function handPart(count: number, seed: number): VariedPart {
  const random = createRandom(seed)
  const versions: number[] = []
  for (let version = 0; version < count; version++) versions.push(...sampleHand(random))
  const triangles: number[] = []
  let first = 0
  const tube = (rings: number, sides: number) => {
    triangles.push(...gridTriangles(rings, sides, first, true))
    first += rings * sides
  }
  tube(PALM_RINGS + ARM_RINGS, PALM_SIDES)
  for (let finger = 0; finger < 5; finger++) tube(FINGER_RINGS, FINGER_SIDES)
  return varied('hand', versions, count, triangles)
}

function sampleHand(random: Random): number[] {
  const result: number[] = []
  const mirror = random.integer(2) * 2 - 1
  const spread = random.uniform(0, 0.22)
  const fist = random.uniform() < 0.3 ? random.uniform(0.9, 1.5) : random.uniform(0.02, 0.5)
  const push = (x: number, y: number, z: number) => result.push(x * mirror, y, z)
  // Arm and palm: rounded sections from below to the knuckles.
  const sections = Array.from({ length: PALM_RINGS + ARM_RINGS }, (_, i) => {
    if (i < ARM_RINGS)
      return {
        y: mix(-190, -50, i / ARM_RINGS),
        width: mix(38, 27, i / ARM_RINGS),
        depth: mix(32, 20, i / ARM_RINGS),
      }
    const t = (i - ARM_RINGS) / (PALM_RINGS - 1)
    const width = mix(28, 43, Math.sqrt(t)) * (i === PALM_RINGS + ARM_RINGS - 1 ? 0.4 : 1)
    return { y: mix(-50, 46, t), width, depth: mix(19, 12, t) * (t === 1 ? 0.3 : 1) }
  })
  for (const { y, width, depth } of sections) {
    for (let k = 0; k < PALM_SIDES; k++) {
      const angle = (k / PALM_SIDES) * 2 * Math.PI
      push(Math.sin(angle) * width, y, Math.cos(angle) * depth)
    }
  }
  for (let finger = 0; finger < 5; finger++) {
    const thumb = finger === 4
    const length = thumb ? 62 : [72, 82, 76, 60][finger]
    const thick = thumb ? 11 : 9.5
    const bend = Math.max(0, random.normal(fist, 0.2)) * (thumb ? 0.5 : 1)
    const base: Vector3 = thumb ? [-36, -18, -4] : [-31 + 20.5 * finger, 44 - 3 * Math.abs(finger - 1.2), 0]
    const aside = thumb ? random.uniform(-1, -0.3) : (finger - 1.5) * spread + random.normal(0, 0.04)
    let [x, y, z] = base
    let angle = 0
    for (let ring = 0; ring < FINGER_RINGS; ring++) {
      const t = ring / (FINGER_RINGS - 1)
      // Three joints.
      angle = bend * (ring > 4 ? 2.2 : ring > 2 ? 1.6 : ring > 0 ? 0.8 : 0)
      const step = ring === 0 ? 0 : length / (FINGER_RINGS - 1)
      const forward: Vector3 = [
        Math.sin(aside) * Math.cos(angle),
        Math.cos(aside) * Math.cos(angle),
        -Math.sin(angle),
      ]
      x += forward[0] * step
      y += forward[1] * step
      z += forward[2] * step
      const radius = thick * (1 - 0.25 * t) * (ring === FINGER_RINGS - 1 ? 0.35 : 1)
      const across: Vector3 = [Math.cos(aside), -Math.sin(aside), 0]
      const up: Vector3 = [
        Math.sin(aside) * Math.sin(angle),
        Math.cos(aside) * Math.sin(angle),
        Math.cos(angle),
      ]
      for (let k = 0; k < FINGER_SIDES; k++) {
        const round = (k / FINGER_SIDES) * 2 * Math.PI
        const [s, c] = [Math.sin(round) * radius, Math.cos(round) * radius]
        push(x + across[0] * s + up[0] * c, y + across[1] * s + up[1] * c, z + across[2] * s + up[2] * c)
      }
    }
  }
  return result
}

const OBJECT_RINGS = 17
const OBJECT_SIDES = 21

/** Objects that occlude faces: balls, boxes, cups, poles, microphones, cushions; bodies of revolution with round or square sections. */
export function objectPart(count: number, seed: number): VariedPart {
  const random = createRandom(seed)
  const versions: number[] = []
  for (let version = 0; version < count; version++) {
    const kind = random.integer(5)
    const width = random.uniform(12, 55)
    const length =
      kind === 3 ? random.uniform(250, 500) : kind === 4 ? random.uniform(70, 110) : random.uniform(25, 90)
    const depth = kind === 3 || kind === 4 ? 1 : random.uniform(0.25, 1)
    const square = random.uniform() < 0.4 ? random.uniform(4, 12) : random.uniform(1.7, 2.4)
    const ends = kind === 0 ? 2 : random.uniform(5, 16)
    const waist = random.uniform(0.6, 1.4)
    const lumps = kind === 2 ? random.uniform(0.08, 0.3) : 0
    const phases = [0, 1, 2].map(() => random.uniform(0, 2 * Math.PI))
    const slim = kind === 3 ? random.uniform(5, 16) : kind === 4 ? 22 : width
    for (let r = 0; r < OBJECT_RINGS; r++) {
      const t = (2 * r) / (OBJECT_RINGS - 1) - 1
      let radius = slim * Math.max(0, 1 - Math.abs(t) ** ends) ** (1 / ends)
      if (kind === 1) radius *= mix(1, waist, (t + 1) / 2)
      // A ball on a handle.
      if (kind === 4)
        radius = t < -0.35 ? Math.max(0, 1 - ((t + 0.65) / 0.35) ** 2) ** 0.5 * slim : t > 0.98 ? 0 : 11
      for (let k = 0; k < OBJECT_SIDES; k++) {
        const angle = (k / (OBJECT_SIDES - 1)) * 2 * Math.PI
        const [c, s] = [Math.cos(angle), Math.sin(angle)]
        const edge = (Math.abs(c) ** square + Math.abs(s) ** square) ** (-1 / square)
        const bump =
          1 +
          lumps *
            (Math.sin(2 * angle + phases[0] + 3 * t) +
              Math.sin(3 * angle + phases[1]) * Math.cos(4 * t + phases[2]))
        versions.push(s * edge * radius * bump, -t * length, c * edge * radius * depth * bump)
      }
    }
  }
  const uv = Float32Array.from({ length: OBJECT_RINGS * OBJECT_SIDES * 2 }, (_, i) => {
    const vertex = i >> 1
    return i % 2 === 0
      ? (vertex % OBJECT_SIDES) / (OBJECT_SIDES - 1)
      : Math.floor(vertex / OBJECT_SIDES) / (OBJECT_RINGS - 1)
  })
  const result = varied('object', versions, count, gridTriangles(OBJECT_RINGS, OBJECT_SIDES))
  return { ...result, part: { ...result.part, uv } }
}

function varied(
  name: 'hand' | 'object',
  versions: readonly number[],
  count: number,
  triangles: readonly number[],
): VariedPart {
  const n = versions.length / 3 / count
  return {
    part: {
      name,
      layer: 'front',
      material: name,
      positions: new Float32Array(n * 3),
      triangles: Int32Array.from(triangles),
      label: labelOf('background'),
      hosts: Array.from({ length: n }, () => still),
      uv: Float32Array.from({ length: n * 2 }, (_, i) => versions[(i >> 1) * 3 + (i % 2)] / 100),
    },
    versions: Float32Array.from(versions),
  }
}

const BRIM_ROWS = 4
const BRIM_COLUMNS = 49

/** Brims and visors: rings around the head at the height of a hat's edge. */
export function brimPart(count: number, seed: number): VariedPart {
  const random = createRandom(seed)
  const versions: number[] = []
  for (let version = 0; version < count; version++) {
    const visor = version % 2 === 0
    const length = random.uniform(45, 85)
    const line = random.uniform(58, 78)
    const slope = random.uniform(0.15, 0.45)
    const droop = random.uniform(-0.35, 0.25)
    const inner = { x: random.uniform(80, 90), z: random.uniform(96, 106) }
    for (let r = 0; r < BRIM_ROWS; r++) {
      const t = r / (BRIM_ROWS - 1)
      for (let c = 0; c < BRIM_COLUMNS; c++) {
        // The seam is at the back.
        const angle = (c / (BRIM_COLUMNS - 1)) * 2 * Math.PI - Math.PI
        const ahead = Math.max(0, Math.cos(angle))
        const reach = visor ? length * ahead ** 0.6 * (ahead > 0.15 ? 1 : 0) : length * (0.75 + 0.25 * ahead)
        const [x, z] = [Math.sin(angle) * (inner.x + reach * t), Math.cos(angle) * (inner.z + reach * t) - 42]
        const y =
          line +
          slope * (Math.cos(angle) * inner.z - 84) +
          droop * reach * t +
          (visor ? 6 * t * Math.cos(2 * angle) : 0)
        versions.push(x, y, z)
      }
    }
  }
  const n = BRIM_ROWS * BRIM_COLUMNS
  return {
    part: {
      name: 'brim',
      layer: 'front',
      material: 'hat',
      positions: new Float32Array(n * 3),
      triangles: Int32Array.from(gridTriangles(BRIM_ROWS, BRIM_COLUMNS)),
      label: labelOf('hat'),
      uv: Float32Array.from({ length: n * 2 }, (_, i) =>
        i % 2 === 0 ? ((i >> 1) % BRIM_COLUMNS) / 12 : Math.floor((i >> 1) / BRIM_COLUMNS) / 8,
      ),
    },
    versions: Float32Array.from(versions),
  }
}
