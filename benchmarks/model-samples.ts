// Draws sheets of random people, to be looked at: front and side, mouth open, eyes closed; modes of albedo, identity, expression.
//   node --conditions=@facekit/source --import tsx benchmarks/model-samples.ts <folder> [synthetic | model file]
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom, neutralParameters, type FaceParameters } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'
import { loadBaseModel } from '@facekit/base-model'

const [folder = '.', file] = process.argv.slice(2)
const SIZE = 160
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel(
  file === undefined ? {} : file === 'synthetic' ? { variant: file } : { source: file },
)
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
await sheet(
  'albedo-modes',
  [-2, 2].flatMap((amount) =>
    [0, 8].map((start) =>
      Array.from({ length: 8 }, (_, k) => {
        const albedo = Array.from({ length: layout.albedo }, () => 0)
        // Melanin and blood, then the first of the regions or of what was learned.
        albedo[k + start < 3 ? k + start : k + start + 7] = amount
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
