// Draws sheets of random people, to be looked at: front and side, mouth open, eyes closed; modes of albedo, identity, expression.
//   node --conditions=@facekit/source --import tsx benchmarks/model-samples.ts <folder> [scans | learned | synthetic | model file]
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom } from '@facekit/core'
import { type FaceParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'
import { loadBaseModel } from '@facekit/base-model'

const [folder = '.', file] = process.argv.slice(2)
const SIZE = 160
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel(
  file === undefined
    ? {}
    : file === 'scans' || file === 'learned' || file === 'synthetic'
      ? { variant: file }
      : { source: file },
)
/** Places of painted modes: melanin, blood, carotene and oil come first in every variant. */
const painted =
  model.name === 'facekit-scans'
    ? { browGrey: 9, fold: 35, underEye: 26 }
    : { browGrey: 4, fold: 5, underEye: 6 }
const { layout } = model

interface Look {
  identity?: number[]
  albedo?: number[]
  expression?: Record<string, number>
  yaw?: number
  light?: number
}

function draw({ identity = [], albedo = [], expression = {}, yaw = 0, light = 0.9 }: Look): Float32Array {
  return tf.tidy(() => {
    const neutral = neutralParameters(layout)
    const row = (values: number[], count: number) =>
      tf.tensor2d([Array.from({ length: count }, (_, k) => values[k] ?? 0)])
    const names = model.shape.expressionNames!
    const harmonics = Array.from({ length: 9 }, (_, b) => {
      const value = [3.1 * light, 0.5, 0.9, 0.35][b] ?? 0
      return [value, value, value]
    })
    const parameters: FaceParameters = {
      ...neutral,
      identity: row(identity, layout.identity),
      albedo: row(albedo, layout.albedo),
      expression: row(
        names.map((name) => expression[name] ?? 0),
        layout.expression,
      ),
      pose: { ...neutral.pose, rotation: tf.tensor2d([[0, yaw, 0]]) },
      illumination: {
        ...neutral.illumination,
        sphericalHarmonics: tf.tensor3d([harmonics]),
        lightPosition: tf.tensor2d([[150, 300, 800]]),
        lightColor: tf.tensor2d([[0.5, 0.5, 0.5]]),
      },
    }
    return renderFace(model, parameters, { width: SIZE, height: SIZE })
      .image.dataSync()
      .slice() as Float32Array
  })
}

async function sheet(name: string, rows: Look[][]): Promise<void> {
  const columns = Math.max(...rows.map((row) => row.length))
  const data = new Uint8Array(rows.length * SIZE * columns * SIZE * 3)
  rows.forEach((row, r) => {
    row.forEach((look, c) => {
      const image = draw(look)
      for (let y = 0; y < SIZE; y++) {
        for (let x = 0; x < SIZE * 3; x++) {
          data[((r * SIZE + y) * columns + c) * SIZE * 3 + x] =
            255 * Math.min(1, Math.max(0, image[y * SIZE * 3 + x]))
        }
      }
    })
  })
  await writeFile(
    join(folder, `${name}.png`),
    encode({ width: columns * SIZE, height: rows.length * SIZE, data, channels: 3, depth: 8 }),
  )
}

await mkdir(folder, { recursive: true })
const random = createRandom(5)
const normals = (count: number) => Array.from({ length: count }, () => random.normal())
const people = Array.from({ length: 8 }, () => ({
  identity: normals(layout.identity),
  albedo: normals(layout.albedo),
}))
await sheet('people', [
  people,
  people.map((look) => ({ ...look, yaw: 0.7 })),
  people.map((look) => ({
    ...look,
    expression: { jawOpen: 0.55, mouthSmileLeft: 0.3, mouthSmileRight: 0.3 },
  })),
  people.map((look) => ({ ...look, expression: { eyeBlinkLeft: 1, eyeBlinkRight: 1 } })),
])
// Tones from left to right, ages from top to bottom: a child, a young, a middle-aged and an old adult; below, the oldest and the
// youngest from the side. Tone, grey brows, folds and rings under the eyes are painted modes; the growth of the skull is cardioidal strain (Todd, Mark, Shaw and Pittenger, "The perception of human growth", 1980),
// expressed by the identity modes as well as they can.
const AGES = [
  { growth: -0.32, browGrey: -1, fold: -2, underEye: -2 },
  { growth: -0.03, browGrey: -0.5, fold: -1, underEye: -1 },
  { growth: 0.02, browGrey: 0.5, fold: 1, underEye: 1 },
  { growth: 0.1, browGrey: 3, fold: 2.8, underEye: 2.8 },
]
const TONES = [-2.6, -1.8, -1, -0.2, 0.6, 1.4, 2.1, 2.8]
const aged = AGES.map(({ growth, browGrey, fold, underEye }) => {
  const grown = project(cardioidalStrain(growth))
  return TONES.map((melanin, c) => {
    const { identity, albedo } = people[c]
    // Differences of skin are shares of its brightness, but a linear model adds them.
    const brightness = Math.min(1, Math.max(0.25, 1 - 0.25 * melanin))
    const own = albedo.map((value) => 0.8 * brightness * value)
    return {
      identity: identity.map((value, k) => 0.8 * value + grown[k]),
      albedo: own.map((value, k) => {
        const ageing = { browGrey, fold, underEye }
        for (const name of ['browGrey', 'fold', 'underEye'] as const) {
          if (k === painted[name]) return ageing[name] * Math.sqrt(brightness)
        }
        return [melanin, 0.4 * value, 0.4 * value, albedo[3]][k] ?? value
      }),
    }
  })
})
if (file !== 'synthetic') {
  await sheet('tones-and-ages', [
    ...aged,
    aged[3].map((look) => ({ ...look, yaw: 0.7 })),
    aged[0].map((look) => ({ ...look, yaw: 0.7 })),
  ])
}

/** How the mean face moves when the head's radius grows by `growth * (1 - cos)` of the angle from the top. `[N * 3]` mm */
function cardioidalStrain(growth: number): Float64Array {
  const mean = model.shape.mean.data as Float32Array
  const [cx, cy, cz] = [0, 25, -70]
  return Float64Array.from({ length: mean.length }, (_, i) => {
    const v = i - (i % 3)
    const [x, y, z] = [mean[v] - cx, mean[v + 1] - cy, mean[v + 2] - cz]
    const radius = Math.hypot(x, y, z)
    return growth * (1 - y / radius) * [x, y, z][i % 3]
  })
}

/** Identity coefficients that come nearest to a displacement of the control vertices, up to a similarity: ridge least squares
 * by Gauss and Seidel. */
function project(field: Float64Array): number[] {
  const mean = model.shape.mean.data as Float32Array
  const size = 468 * 3
  const basis = model.shape.identity.data as Float32Array
  const column = (value: (v: number, k: number) => number, ridge: number) => ({
    values: Float64Array.from({ length: size }, (_, i) => value(Math.floor(i / 3), i % 3)),
    ridge,
  })
  const columns = [
    ...Array.from({ length: layout.identity }, (_, m) =>
      column((v, k) => basis[m * mean.length + v * 3 + k], 50),
    ),
    ...[0, 1, 2].map((axis) => column((_, k) => +(k === axis), 0)),
    column((v, k) => mean[v * 3 + k] / 50, 0),
    column((v, k) => [0, -mean[v * 3 + 2], mean[v * 3 + 1]][k] / 50, 0),
  ]
  const rest = field.slice(0, size)
  const found = columns.map(() => 0)
  for (let sweep = 0; sweep < 200; sweep++) {
    columns.forEach(({ values, ridge }, m) => {
      let [along, power] = [-ridge * found[m], ridge]
      values.forEach((value, i) => {
        along += value * rest[i]
        power += value * value
      })
      found[m] += along / power
      values.forEach((value, i) => (rest[i] -= (along / power) * value))
    })
  }
  return found.slice(0, layout.identity)
}

await sheet(
  'albedo-modes',
  [-2, 2].flatMap((amount) =>
    [0, 8].map((start) =>
      Array.from({ length: 8 }, (_, k) => {
        const albedo = Array.from({ length: layout.albedo }, () => 0)
        // Of the learned model tone and age, then the first of what was learned.
        albedo[model.name !== 'facekit-learned' || k + start < 7 ? k + start : k + start + 6] = amount
        return { albedo }
      }),
    ),
  ),
)
await sheet(
  'identity-modes',
  [-2.5, 2.5].map((amount) =>
    Array.from({ length: 8 }, (_, k) => {
      const identity = Array.from({ length: layout.identity }, () => 0)
      identity[k] = amount
      return { identity, yaw: k % 2 ? 0.6 : 0 }
    }),
  ),
)
const expressions = model.shape.expressionNames!.filter((name) => !name.endsWith('Right'))
await sheet(
  'expressions',
  [0, 1, 2, 3].map((r) =>
    expressions.slice(r * 8, r * 8 + 8).map((name) => ({
      expression: { [name]: 1, [name.replace('Left', 'Right')]: 1 },
      yaw: 0.25,
    })),
  ),
)
