// What the descent on the photograph does to the shape that landmarks gave: rendered faces of a model, dense landmarks with known noise, the same model
// fitted. For each weight of the landmarks' posterior and each number of steps: vertex error after a similarity (mm), landmark error to the
// true points (%), colour error.
//   node --conditions=@facekit/source --import tsx benchmarks/fit-iterations.ts [--model learned] [--faces 4] [--weights default,Infinity,0.003] [--iterations 60,200,400] [--seed 1]
import { parseArgs } from 'node:util'
import type { FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { fitFace, landmarkError } from '@facekit/fit'
import { applySimilarity3d, fitSimilarity3d } from '@facekit/mesh'
import { evaluateShape } from '@facekit/morphable'
import { disposeParameters, neutralParameters, type FaceParameters } from '@facekit/parameters'
import { defaultCamera, projectVertices, clipToPixels, renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '' },
    faces: { type: 'string', default: '4' },
    weights: { type: 'string', default: 'default,Infinity,0.003' },
    iterations: { type: 'string', default: '60,200,400' },
    noise: { type: 'string', default: '1' },
    'depth-noise': { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
  },
})
const SIZE = 224
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel(values.model ? { variant: values.model as 'learned' } : {})
const random = createRandom(Number(values.seed))
const vertices = model.denseLandmarks!
const count = vertices.length

function randomFace(): FaceParameters {
  const neutral = neutralParameters(model.layout)
  const row = (length: number, draw: (k: number) => number) =>
    tf.tensor2d([Array.from({ length }, (_, k) => draw(k))])
  const harmonics = Array.from({ length: 9 }, (_, b) => {
    const white = b === 0 ? random.normal(3.2, 0.3) : random.normal(0, b < 4 ? 0.6 : 0.2)
    return [white, white, white]
  })
  return {
    ...neutral,
    identity: row(model.layout.identity, () => random.normal()),
    albedo: row(model.layout.albedo, () => random.normal()),
    expression: row(model.layout.expression, () => (random.uniform() < 0.1 ? random.uniform(0, 0.7) : 0)),
    pose: { ...neutral.pose, rotation: row(3, (k) => random.normal(0, [0.1, 0.3, 0.05][k])) },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([harmonics]),
      lightColor: row(3, () => 0.3),
    },
  }
}

async function label(parameters: FaceParameters): Promise<FaceAnnotation> {
  const size = { width: SIZE, height: SIZE }
  const rendering = renderFace(model, parameters, { ...size, contour: 'visible' })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const pixels = clipToPixels(projectVertices(rendering.vertices, defaultCamera, size), size)
  const [all, world] = [await pixels.data(), await rendering.vertices.data()]
  const meanZ = vertices.reduce((sum, v) => sum + world[3 * v + 2], 0) / count
  const gain = 1015 / (1000 - meanZ)
  const [sigma, sigmaDepth] = [Number(values.noise), Number(values['depth-noise'])]
  // Smooth errors and rough ones, half each.
  const waves = [0, 1, 2].map(() =>
    Array.from({ length: 60 }, () => ({
      direction: [0, 1, 2].map(() => random.normal(0, 1 / 25)),
      phase: random.uniform(0, 2 * Math.PI),
    })),
  )
  const error = (axis: number, v: number) =>
    random.normal(0, Math.SQRT1_2) +
    waves[axis].reduce(
      (sum, { direction, phase }) =>
        sum +
        Math.sqrt(1 / 60) * Math.cos(phase + direction.reduce((s, d, a) => s + d * world[3 * v + a], 0)),
      0,
    )
  const positions = ndarray(new Float32Array(2 * count), [count, 2])
  const depths = new Float32Array(count)
  vertices.forEach((v, i) => {
    for (const axis of [0, 1]) positions.set(i, axis, all[2 * v + axis] + sigma * error(axis, v))
    depths[i] = (world[3 * v + 2] - meanZ) * gain + sigmaDepth * error(2, v)
  })
  const landmarks = await array(rendering.landmarks, [68, 2])
  const mask = await array(rendering.mask, [SIZE, SIZE])
  return {
    box: { x: 0, y: 0, width: SIZE, height: SIZE },
    score: 1,
    landmarks,
    denseLandmarks: {
      positions,
      deviations: new Float32Array(count).fill(sigma),
      depths,
      depthDeviations: new Float32Array(count).fill(sigmaDepth),
      landmarks,
    },
    alignment: {
      size: SIZE,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: await array(rendering.image, [SIZE, SIZE, 3]),
      landmarks,
    },
    faceRegion: mask,
    innerMouth: await array(rendering.innerMouth, [SIZE, SIZE]),
    skinProbability: mask,
    embedding: new Float32Array(128),
  }
}

const shapeOf = ({ identity, expression }: FaceParameters) =>
  tf.tidy(() => Float32Array.from(evaluateShape(model, { identity, expression }).dataSync()))

const rows = new Map<string, number[][]>()
for (let face = 0; face < Number(values.faces); face++) {
  const truth = randomFace()
  const annotation = await label(truth)
  const picture = ndarray(new Uint8Array(SIZE * SIZE * 3), [SIZE, SIZE, 3])
  const shape = shapeOf(truth)
  for (const weight of values.weights.split(','))
    for (const iterations of values.iterations.split(',').map(Number)) {
      const result = await fitFace(picture, annotation, model, {
        iterations,
        ...(weight !== 'default' && { shapeWeight: Number(weight) }),
      })
      const found = shapeOf(result.parameters)
      const moved = applySimilarity3d(fitSimilarity3d(found, shape), found)
      let error = 0
      for (let i = 0; i < model.vertexCount; i++)
        error +=
          Math.hypot(...[0, 1, 2].map((axis) => moved[3 * i + axis] - shape[3 * i + axis])) /
          model.vertexCount
      const name = weight.padEnd(12) + `${iterations}`.padStart(6)
      if (!rows.has(name)) rows.set(name, [])
      rows
        .get(name)!
        .push([
          error,
          100 * landmarkError(result.landmarks[0].data, annotation.landmarks),
          result.metrics.colorError,
        ])
      disposeParameters(result.parameters)
    }
}
console.log('weight       steps   vertices mm   landmarks %   colour')
for (const [name, list] of rows) {
  const mean = [0, 1, 2].map((k) => list.reduce((sum, row) => sum + row[k], 0) / list.length)
  console.log(
    `${name}${mean[0].toFixed(3).padStart(14)}${mean[1].toFixed(3).padStart(14)}${mean[2].toFixed(4).padStart(9)}`,
  )
}
