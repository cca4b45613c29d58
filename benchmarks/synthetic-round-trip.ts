// Renders random faces of the base model with known parameters, fits them from nothing but their pictures and labels, and
// compares what was found with what was drawn.
//   node --conditions=@facekit/source --import tsx benchmarks/synthetic-round-trip.ts [--faces 20] [--iterations 60]
import { parseArgs } from 'node:util'
import type { FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { fitFace } from '@facekit/fit'
import { shadeDiffuse } from '@facekit/illumination'
import { evaluateAlbedo, evaluateShape, sampleCoefficients } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const { values } = parseArgs({
  options: { faces: { type: 'string', default: '20' }, iterations: { type: 'string', default: '60' } },
})
const size = 224
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()

function randomFace(seed: number): FaceParameters {
  const random = createRandom(1000 + seed)
  const neutral = neutralParameters(model.layout)
  const normals = (count: number, deviation: number) =>
    tf.tensor2d([Array.from({ length: count }, () => random.normal(0, deviation))])
  const harmonics = Array.from({ length: 9 }, (_, b) => {
    const white = b === 0 ? random.normal(3.2, 0.4) : random.normal(0, b < 4 ? 0.6 : 0.2)
    return [0, 1, 2].map(() => white * random.normal(1, 0.03))
  })
  // Few expressions at a time, as people have them.
  const expression = Array.from({ length: model.layout.expression }, () =>
    random.uniform() < 0.15 ? random.uniform(0, 0.7) : 0,
  )
  return {
    ...neutral,
    ...sampleCoefficients(model.layout, { seed: 2000 + seed }),
    expression: tf.tensor2d([expression]),
    pose: {
      rotation: tf.tensor2d([[random.normal(0, 0.12), random.normal(0, 0.3), random.normal(0, 0.05)]]),
      translation: normals(3, 3),
      scale: tf.tensor2d([[random.normal(1, 0.03)]]),
    },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([harmonics]),
      lightColor: tf.mul(tf.ones<tf.Rank.R2>([1, 3]), random.uniform(0.1, 0.6)),
    },
  }
}

/** A perfect annotation of a rendered picture. */
async function label(parameters: FaceParameters): Promise<FaceAnnotation> {
  const { image, mask, innerMouth, landmarks } = renderFace(model, parameters, {
    width: size,
    height: size,
    contour: 'visible',
  })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const points = await array(landmarks, [68, 2])
  const region = await array(mask, [size, size])
  return {
    box: { x: 0, y: 0, width: size, height: size },
    score: 1,
    landmarks: points,
    alignment: {
      size,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: await array(image, [size, size, 3]),
      landmarks: points,
    },
    faceRegion: region,
    skinProbability: region,
    innerMouth: await array(innerMouth, [size, size]),
    embedding: new Float32Array(128),
  }
}

/** Distances of two shapes `[N * 3]` in mm: as they are in model space, and after the best translation. */
function distances(a: Float32Array, b: Float32Array): { raw: number; moved: number } {
  const count = a.length / 3
  const shift = [0, 1, 2].map((axis) => {
    let total = 0
    for (let i = axis; i < a.length; i += 3) total += b[i] - a[i]
    return total / count
  })
  let [raw, moved] = [0, 0]
  for (let i = 0; i < a.length; i += 3) {
    const d = [0, 1, 2].map((axis) => b[i + axis] - a[i + axis])
    raw += Math.hypot(...d)
    moved += Math.hypot(d[0] - shift[0], d[1] - shift[1], d[2] - shift[2])
  }
  return { raw: raw / count, moved: moved / count }
}

const meanDifference = (a: tf.Tensor, b: tf.Tensor) =>
  tf.tidy(() => tf.mean(tf.abs(tf.sub(a, b))).dataSync()[0])

/** Irradiance of a light on a sphere of normals. */
function irradiance(parameters: FaceParameters, normals: tf.Tensor3D): tf.Tensor {
  return shadeDiffuse(tf.onesLike(normals), normals, parameters.illumination.sphericalHarmonics)
}

const names = [
  'vertices mm',
  'vertices (moved) mm',
  'mean face mm',
  'diffuse',
  'specular',
  'irradiance',
  'yaw deg',
  'NME %',
  'colour',
]
const rows: number[][] = []
console.log(names.join('  '))
for (let seed = 0; seed < Number(values.faces); seed++) {
  tf.engine().startScope()
  const truth = randomFace(seed)
  const annotation = await label(truth)
  const bytes = Uint8Array.from(annotation.alignment.image.data, (value) => Math.round(255 * value))
  const found = await fitFace(ndarray(bytes, [size, size, 3]), annotation, model, {
    iterations: Number(values.iterations),
  })
  const row = tf.tidy(() => {
    const shape = (parameters: FaceParameters) => evaluateShape(model, parameters).dataSync() as Float32Array
    const near = distances(shape(truth), shape(found.parameters))
    const nothing = distances(shape(truth), shape(neutralParameters(model.layout)))
    const [a, b] = [truth, found.parameters].map((parameters) => evaluateAlbedo(model, parameters.albedo))
    const random = createRandom(1)
    const directions = Array.from({ length: 500 }, () => {
      const v = [random.normal(), random.normal(), Math.abs(random.normal())]
      return v.map((value) => value / Math.hypot(...v))
    })
    const normals = tf.tensor3d([directions])
    const yaw = (parameters: FaceParameters) => parameters.pose.rotation.dataSync()[1]
    return [
      near.raw,
      near.moved,
      nothing.moved,
      meanDifference(a.diffuse, b.diffuse),
      meanDifference(a.specular, b.specular),
      meanDifference(irradiance(truth, normals), irradiance(found.parameters, normals)),
      (180 / Math.PI) * Math.abs(yaw(truth) - yaw(found.parameters)),
      100 * found.metrics.landmarkError,
      found.metrics.colorError,
    ]
  })
  rows.push(row)
  console.log(row.map((value, i) => value.toFixed(3).padStart(names[i].length)).join('  '))
  disposeParameters(found.parameters)
  tf.engine().endScope()
}
const means = names.map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length)
console.log(means.map((value, i) => value.toFixed(3).padStart(names[i].length)).join('  '), ' mean')
