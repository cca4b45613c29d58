// What tells the tone of the skin from the light: rendered faces of known albedo, each in several lights, fitted with and without the white of the eyes,
// and the maps with and without relief. Errors of the cheeks: tone as |log| of luminance, warmth as |log| of red / blue, spread of the tone over the lights of one
// face; of the map, mean difference of linear RGB where it is seen. Then the time of a map of 1024, third call.
//
//   node --conditions=@facekit/source --import tsx benchmarks/skin.ts [--faces 4]
import { parseArgs } from 'node:util'
import type { FaceAnnotation } from '@facekit/annotate'
import { createFaceTextures } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { fitFace } from '@facekit/fit'
import { evaluateAlbedo, sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import { neutralParameters, type FaceParameters } from '@facekit/parameters'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { printTable } from './benchmark.js'

const { values } = parseArgs({ options: { faces: { type: 'string', default: '4' } } })
const SIZE = 224
const MAP = 512
/** Colour of the light, linear, and where it comes from. */
const LIGHTS = {
  dim: { color: [0.4, 0.4, 0.4], side: 0.3, lamp: 1 },
  bright: { color: [1.1, 1.1, 1.1], side: -0.5, lamp: 4 },
  warm: { color: [0.9, 0.65, 0.45], side: 0.8, lamp: 3 },
  cool: { color: [0.6, 0.7, 0.9], side: 0, lamp: 2 },
}

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const { eyeLeft: _left, eyeRight: _right, ...others } = model.regions!
const blind: MorphableModel = { ...model, regions: others }

function randomFace(seed: number, { color, side, lamp }: (typeof LIGHTS)['dim']): FaceParameters {
  const neutral = neutralParameters(model.layout)
  const white = [3.3, 0.4, 0.5, side, 0, 0, 0.1, 0, 0]
  return {
    ...neutral,
    ...sampleCoefficients(model.layout, { seed: 3000 + seed }),
    expression: neutral.expression,
    pose: neutral.pose,
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([white.map((value) => color.map((share) => share * value))]),
      lightPosition: tf.tensor2d([[700 * Math.sign(side || 1), 400, 1000]]),
      lightColor: tf.mul(tf.ones<tf.Rank.R2>([1, 3]), lamp * color[1]),
    },
  }
}

/** A rendered picture and its perfect labels. */
async function photograph(parameters: FaceParameters, size: number) {
  const { image, mask, innerMouth, landmarks } = renderFace(model, parameters, {
    width: size,
    height: size,
    contour: 'visible',
  })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const points = await array(landmarks, [68, 2])
  const region = await array(mask, [size, size])
  const crop = await array(image, [size, size, 3])
  const annotation: FaceAnnotation = {
    box: { x: 0, y: 0, width: size, height: size },
    score: 1,
    landmarks: points,
    alignment: {
      size,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: crop,
      landmarks: points,
    },
    faceRegion: region,
    skinProbability: region,
    innerMouth: await array(innerMouth, [size, size]),
    embedding: new Float32Array(128),
  }
  const picture = ndarray(
    Uint8Array.from(crop.data, (value) => Math.round(255 * value)),
    [size, size, 3],
  )
  return { picture, annotation }
}

/** Luminance and red / blue of the cheeks, logarithms. */
function toneOf(colors: ArrayLike<number>): { level: number; warmth: number } {
  const { cheeks } = model.regions!
  const [red, green, blue] = [0, 1, 2].map((c) => [...cheeks].reduce((sum, v) => sum + colors[3 * v + c], 0))
  return {
    level: Math.log((0.2126 * red + 0.7152 * green + 0.0722 * blue) / cheeks.length),
    warmth: Math.log(red / blue),
  }
}

const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, value) => sum + value, 0) / Math.max(numbers.length, 1)
const deviation = (numbers: readonly number[]) =>
  Math.sqrt(mean(numbers.map((value) => (value - mean(numbers)) ** 2)))

const variants = {
  'white of the eyes': { fitted: model, detail: true },
  'without it': { fitted: blind, detail: true },
  'without relief': { fitted: model, detail: false },
}
const rows = []
for (const [name, { fitted, detail }] of Object.entries(variants)) {
  const tones: number[] = []
  const warmths: number[] = []
  const spreads: number[] = []
  const maps: number[] = []
  for (let face = 0; face < Number(values.faces); face++) {
    const levels: number[] = []
    for (const light of Object.values(LIGHTS)) {
      const truth = randomFace(face, light)
      const { picture, annotation } = await photograph(truth, SIZE)
      const result = await fitFace(picture, annotation, fitted)
      const wanted = evaluateAlbedo(model, truth.albedo).diffuse.dataSync()
      const [found, known] = [evaluateAlbedo(model, result.parameters.albedo).diffuse.dataSync(), wanted].map(
        toneOf,
      )
      levels.push(found.level - known.level)
      tones.push(Math.abs(found.level - known.level))
      warmths.push(Math.abs(found.warmth - known.warmth))
      const { diffuse, seen } = await createFaceTextures([picture], [{ ...result, annotation }], model, {
        size: MAP,
        detail,
      })
      const errors: number[] = []
      for (let v = 0; v < model.vertexCount; v++) {
        const column = Math.min(Math.floor(model.uv!.get(v, 0) * MAP), MAP - 1)
        const row = Math.min(Math.floor((1 - model.uv!.get(v, 1)) * MAP), MAP - 1)
        if (seen.get(row, column) < 0.5) continue
        for (let c = 0; c < 3; c++) errors.push(Math.abs(diffuse.get(row, column, c) - wanted[3 * v + c]))
      }
      maps.push(mean(errors))
    }
    spreads.push(deviation(levels))
  }
  rows.push({
    fit: name,
    tone: mean(tones),
    warmth: mean(warmths),
    spread: mean(spreads),
    'map error': mean(maps).toFixed(3),
  })
}
printTable(rows)

const { picture, annotation } = await photograph(randomFace(0, LIGHTS.bright), SIZE)
const result = await fitFace(picture, annotation, model, { iterations: 0 })
for (const detail of [true, false]) {
  const times: number[] = []
  for (let call = 0; call < 3; call++) {
    const before = process.cpuUsage()
    await createFaceTextures([picture], [{ ...result, annotation }], model, { size: 1024, detail })
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1e6)
  }
  console.log(
    `map of 1024, ${detail ? 'with' : 'without'} relief: ${times.at(-1)!.toFixed(2)} s of processor time`,
  )
}
