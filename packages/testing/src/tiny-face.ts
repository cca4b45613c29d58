import { assertInteger, createRandom, type Random } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import ndarray, { type NdArray } from 'ndarray'
import { buildTinyFaceGrid, MOUTH_Y, type Point, type TinyFaceGrid } from './tiny-face-grid.js'
import { tinyFaceLandmarkTargets } from './tiny-face-landmarks.js'

/** Options of `createTinyFace`. */
export interface TinyFaceOptions {
  /** Rows of vertices from forehead to chin, at least 9. Default 25. */
  rows?: number
  /** Columns of vertices from the subject's right to the left, at least 9. Default 21. */
  columns?: number
  /** Number of identity, expression and albedo modes, each at least 1. Default 6, 4, 5. */
  identity?: number
  expression?: number
  albedo?: number
  /** Seed of the random modes. Default 1. */
  seed?: number
}

/** A small procedural face model for tests: a smooth bump of about 144 x 190 mm with a nose, a mouth that can open, and
 * eyes, nose and mouth where a real face has them.
 *
 * Expression 0 opens the jaw; all other modes are smooth and random. The lips are slightly apart in the mean. The vertices
 * are `rows * columns` of a grid, row by row from the top, then those of the lower lip's rim.
 *
 * @throws {ValueError} when the grid is too small to hold a mouth
 */
export function createTinyFace(options: TinyFaceOptions = {}): MorphableModel {
  const { rows = 25, columns = 21, identity = 6, expression = 4, albedo = 5, seed = 1 } = options
  assertInteger('createTinyFace: rows', rows, 9)
  assertInteger('createTinyFace: columns', columns, 9)
  const random = createRandom(seed)
  const grid = buildTinyFaceGrid(rows, columns)
  const { positions, upper, lower } = grid
  const count = positions.length
  const points = (f: (p: Point, vertex: number) => Point) => array(positions.map(f).flat(), [count, 3])
  const modes = (n: number, amplitude: number) => {
    const all = Array.from({ length: n }, () => smoothMode(random, positions, amplitude))
    return array(all.flat(2), [n, count, 3])
  }
  const expressions = modes(expression, 2)
  const isLower = new Set(lower)
  positions.forEach(([x, y], vertex) => {
    const below = isLower.has(vertex) || (y < MOUTH_Y - 0.1 && !upper.includes(vertex))
    const open = below ? Math.exp(-((x / 45) ** 2)) * Math.min(1, Math.exp((MOUTH_Y - y) / -80)) : 0
    expressions.set(0, vertex, 0, 0)
    expressions.set(0, vertex, 1, -12 * open)
    expressions.set(0, vertex, 2, -2 * open)
  })
  const lips = (p: Point) => Math.exp(-(((p[0] / 24) ** 2 + ((p[1] - MOUTH_Y) / 8) ** 2) ** 2))
  const landmarks = findLandmarks(grid)
  return {
    name: 'tiny-face',
    license: 'Apache-2.0',
    origin: 'procedural, for tests',
    vertexCount: count,
    triangles: Int32Array.from(grid.triangles),
    landmarks,
    jawContours: jawContours(landmarks, rows, columns),
    innerMouthTriangles: Int32Array.from(grid.mouthTriangles),
    uv: array(grid.uv.flat(), [count, 2]),
    regions: {
      skin: Int32Array.from([...positions.keys()].filter((v) => lips(positions[v]) < 0.5)),
      lips: Int32Array.from([...positions.keys()].filter((v) => lips(positions[v]) >= 0.5)),
    },
    shape: {
      mean: points((p) => p),
      identity: modes(identity, 3),
      expression: expressions,
      expressionNames: Array.from({ length: expression }, (_, k) => (k === 0 ? 'jawOpen' : `random${k}`)),
      expressionRange: [0, 1],
    },
    albedo: {
      diffuseMean: points((p) => [0.55 - 0.1 * lips(p), 0.36 - 0.2 * lips(p), 0.28 - 0.12 * lips(p)]),
      diffuse: modes(albedo, 0.02),
      specularMean: points((p) => {
        const shine = 0.05 + 0.08 * Math.exp(-((p[0] / 15) ** 2)) + 0.05 * lips(p)
        return [shine, shine, shine]
      }),
      specular: modes(albedo, 0.005),
    },
    layout: { identity, expression, albedo },
  }
}

const array = (values: number[], shape: number[]): NdArray<Float32Array> =>
  ndarray(Float32Array.from(values), shape)

function findLandmarks({ positions, upper, lower, rows, columns }: TinyFaceGrid): Int32Array {
  const nearest = ([x, y]: readonly [number, number]) => {
    let best = 0
    const squared = (v: number) => (positions[v][0] - x) ** 2 + (positions[v][1] - y) ** 2
    for (let v = 1; v < rows * columns; v++) if (squared(v) < squared(best)) best = v
    return best
  }
  const at = (rim: number[], t: number) => rim[Math.round(t * (rim.length - 1))]
  const inner = [0, 0.25, 0.5, 0.75, 1].map((t) => at(upper, t))
  inner.push(...[0.75, 0.5, 0.25].map((t) => at(lower, t)))
  return Int32Array.from([...tinyFaceLandmarkTargets.map(nearest), ...inner])
}

function jawContours(landmarks: Int32Array, rows: number, columns: number): Int32Array[] {
  const reach = Math.max(2, Math.floor(columns / 3))
  return Array.from({ length: 17 }, (_, i) => {
    const row = Math.floor(landmarks[i] / columns)
    if (row >= rows - 1 || i === 8) return Int32Array.of(landmarks[i])
    return Int32Array.from({ length: reach }, (_, c) => row * columns + (i < 8 ? c : columns - 1 - c))
  })
}

/** A field of one slow wave for each axis. */
function smoothMode(random: Random, positions: Point[], amplitude: number): Point[] {
  const axes = Array.from({ length: 3 }, () => ({
    frequency: [0, 1].map(() => random.normal(0, 0.02)),
    phase: random.uniform(0, 2 * Math.PI),
    gain: random.normal(0, amplitude),
  }))
  return positions.map(
    ([x, y]) =>
      axes.map(
        ({ frequency, phase, gain }) => gain * Math.sin(frequency[0] * x + frequency[1] * y + phase),
      ) as Point,
  )
}
