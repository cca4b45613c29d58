import { createRandom, labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { mix, type Host, type MeshPart } from './mesh-part.js'

const OUTLINE = 36
/** Rings of a lens around its middle. */
const LENS_RINGS = 2
const BARS = 7

/** Glasses of many makes, all of one mesh: frames, bridge, temples; and lenses.
 *
 * @returns the parts, and their vertices for each make: `[count * n * 3]`, frame then lenses
 */
export function glassesParts(
  model: MorphableModel,
  count: number,
  seed: number,
): { frame: MeshPart; lenses: MeshPart; frameMakes: Float32Array; lensMakes: Float32Array } {
  const random = createRandom(seed)
  const mean = model.shape.mean.data
  const at = (landmark: number, c: number) => mean[model.landmarks[landmark] * 3 + c]
  const eye = (first: number, c: number) =>
    [0, 1, 2, 3, 4, 5].reduce((sum, i) => sum + at(first + i, c), 0) / 6
  const eyes = { x: (eye(42, 0) - eye(36, 0)) / 2, y: (eye(42, 1) + eye(36, 1)) / 2 }
  const front = at(27, 2)
  const ear = [at(16, 0), at(16, 1), at(16, 2)]
  const frames: number[] = []
  const lenses: number[] = []
  for (let make = 0; make < count; make++) {
    const size = random.uniform(0.85, 1.3)
    const width = random.uniform(21, 27) * size
    const height = width * random.uniform(0.6, 0.98)
    const power = random.uniform(1.8, 4.5)
    const drop = random.uniform(-5, 1)
    const rim = random.uniform() < 0.35 ? random.uniform(0.8, 1.6) : random.uniform(2, 5.5)
    const depth = random.uniform(1.5, 4)
    const curve = random.uniform(150, 400)
    const slant = random.normal(0, 0.15)
    const gap = front + random.uniform(0, 4)
    const surface = (x: number) => gap - (x * x) / (2 * curve)
    const center = Math.max(eyes.x, width + rim + random.uniform(5, 9))
    const outline = (angle: number, grow: number): [number, number] => {
      const [c, s] = [Math.cos(angle), Math.sin(angle)]
      const radius = (Math.abs(c) ** power + Math.abs(s) ** power) ** (-1 / power)
      // Narrower below, as an aviator's.
      const u = c * radius * (width + grow) * (1 + slant * s)
      return [u, s * radius * (height + grow)]
    }
    for (const side of [-1, 1]) {
      for (let i = 0; i < OUTLINE; i++) {
        const angle = (i / OUTLINE) * 2 * Math.PI
        for (const [grow, behind] of [
          [0, 0],
          [rim, 0],
          [rim, depth],
          [0, depth],
        ]) {
          const [u, v] = outline(angle, grow)
          const x = side * (center + u)
          frames.push(x, eyes.y + drop + v, surface(x) - behind)
        }
      }
    }
    // Bridge and temples are bars of a rectangular section.
    const bar = (points: readonly (readonly number[])[], tall: number, deep: number) => {
      for (const [x, y, z] of points) {
        frames.push(x, y + tall, z, x, y - tall, z, x, y - tall, z - deep, x, y + tall, z - deep)
      }
    }
    const inner = center - width
    const bridgeY = eyes.y + drop + height * random.uniform(0.1, 0.55)
    bar(
      Array.from({ length: BARS }, (_, i) => {
        const t = (2 * i) / (BARS - 1) - 1
        return [t * inner, bridgeY + 2.5 * (1 - t * t), surface(t * inner) + 2 * (1 - t * t)]
      }),
      Math.max(0.8, rim * 0.6),
      depth,
    )
    const outer = center + width + rim
    const hinge = eyes.y + drop + height * random.uniform(0.3, 0.75)
    const tall = Math.max(1, rim * random.uniform(0.5, 1.3))
    for (const side of [-1, 1]) {
      bar(
        Array.from({ length: BARS }, (_, i) => {
          const t = i / (BARS - 1)
          return [
            side * mix(outer, Math.max(outer, ear[0] + 3), Math.min(1, t * 3)),
            mix(hinge, ear[1] + 10, t),
            mix(surface(outer), ear[2] - 38, t),
          ]
        }),
        tall,
        2,
      )
    }
    for (const side of [-1, 1]) {
      lenses.push(side * center, eyes.y + drop, surface(center) - depth / 2)
      for (let ring = 1; ring <= LENS_RINGS; ring++) {
        for (let i = 0; i < OUTLINE; i++) {
          const [u, v] = outline((i / OUTLINE) * 2 * Math.PI, 0.3)
          const x = side * (center + (u * ring) / LENS_RINGS)
          lenses.push(x, eyes.y + drop + (v * ring) / LENS_RINGS, surface(x) - depth / 2)
        }
      }
    }
  }
  const host: Host = {
    vertices: [27, 36, 45, 0, 16].map((landmark) => model.landmarks[landmark]),
    weights: [0.4, 0.15, 0.15, 0.15, 0.15],
    identity: 1,
    expression: 0,
  }
  const part = (name: string, makes: readonly number[], triangles: number[]): MeshPart => {
    const n = makes.length / 3 / count
    return {
      name,
      layer: 'front',
      material: name === 'frame' ? 'frame' : 'lens',
      positions: new Float32Array(n * 3),
      triangles: Int32Array.from(triangles),
      label: labelOf('eye_g'),
      hosts: Array.from({ length: n }, () => host),
      uv: lensUv(makes, n, eyes),
    }
  }
  return {
    frame: part('frame', frames, frameTriangles()),
    lenses: part('lenses', lenses, lensTriangles()),
    frameMakes: Float32Array.from(frames),
    lensMakes: Float32Array.from(lenses),
  }
}

/** From the first make: across and up, in units of 100 mm. */
const lensUv = (makes: readonly number[], n: number, eyes: { y: number }) =>
  Float32Array.from({ length: n * 2 }, (_, i) =>
    i % 2 === 0 ? makes[(i >> 1) * 3] / 100 : (makes[(i >> 1) * 3 + 1] - eyes.y) / 100,
  )

/** Bars of four corners: closed around them, and, for rims, end to end. */
function barTriangles(first: number, length: number, closed: boolean): number[] {
  const result: number[] = []
  for (let i = 0; i + (closed ? 0 : 1) < length; i++) {
    const [a, b] = [first + 4 * i, first + 4 * ((i + 1) % length)]
    for (let k = 0; k < 4; k++) {
      const l = (k + 1) % 4
      result.push(a + k, b + k, a + l, a + l, b + k, b + l)
    }
  }
  return result
}

const frameTriangles = () => [
  ...barTriangles(0, OUTLINE, true),
  ...barTriangles(4 * OUTLINE, OUTLINE, true),
  ...[0, 1, 2].flatMap((i) => barTriangles(8 * OUTLINE + 4 * BARS * i, BARS, false)),
]

function lensTriangles(): number[] {
  const result: number[] = []
  const size = 1 + LENS_RINGS * OUTLINE
  for (const first of [0, size]) {
    for (let i = 0; i < OUTLINE; i++) {
      const j = (i + 1) % OUTLINE
      result.push(first, first + 1 + i, first + 1 + j)
      for (let ring = 1; ring < LENS_RINGS; ring++) {
        const [a, b] = [first + 1 + (ring - 1) * OUTLINE, first + 1 + ring * OUTLINE]
        result.push(a + i, b + i, a + j, a + j, b + i, b + j)
      }
    }
  }
  return result
}
