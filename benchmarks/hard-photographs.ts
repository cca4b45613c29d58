// Kinds of photographs that are hard for maps, on a rendered face of known albedo, pose, shape and light, so that only the maps are judged: what is painted over the picture the fit does
// not know. Mean difference of linear RGB from the true albedo where the map shows the photograph, with and without relief; mean difference from the photograph (encoded, 0..1) of the
// face in its maps and light, with and without the shading.
//
//   node --conditions=@facekit/source --import tsx benchmarks/hard-photographs.ts [--size 512] [--seed 7] [--picture FILE.png]
// With --picture a row for each kind: photograph, diffuse albedo, in its light with the shading.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { FaceAnnotation } from '@facekit/annotate'
import { createFaceTextures } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { colorError } from '@facekit/fit'
import { evaluateAlbedo, sampleCoefficients } from '@facekit/morphable'
import { neutralParameters, whiteLight } from '@facekit/parameters'
import { defaultCamera, renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'
import ndarray from 'ndarray'
import { printTable } from './benchmark.js'
import { drawTextured } from './textured-face.js'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '512' },
    seed: { type: 'string', default: '7' },
    picture: { type: 'string' },
  },
})
const SIZE = 448

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const neutral = neutralParameters(model.layout)
const parameters = {
  ...neutral,
  ...sampleCoefficients(model.layout, { seed: Number(values.seed) }),
  expression: neutral.expression,
  pose: neutral.pose,
  illumination: {
    ...neutral.illumination,
    sphericalHarmonics: tf.tensor3d([
      [0.8, 0.1, 0.2, 0.1, 0, 0, 0, 0, 0].map((share) => Array(3).fill(share * whiteLight)),
    ]),
    lightPosition: tf.tensor2d([[300, 400, 1000]]),
    lightColor: tf.tensor2d([[1, 1, 1]]),
  },
}
const rendered = renderFace(model, parameters, { width: SIZE, height: SIZE, contour: 'visible' })
const array = async (tensor: tf.Tensor, shape: number[]) =>
  ndarray(Float32Array.from(await tensor.data()), shape)
const landmarks = await array(rendered.landmarks, [68, 2])
const region = await array(rendered.mask, [SIZE, SIZE])
const image = await array(rendered.image, [SIZE, SIZE, 3])
const innerMouth = await array(rendered.innerMouth, [SIZE, SIZE])
const wanted = evaluateAlbedo(model, parameters.albedo).diffuse.dataSync<'float32'>()
const place = (l: number) => [landmarks.get(l, 0), landmarks.get(l, 1)] as const
const width = place(45)[0] - place(36)[0]
/** Distance from an ellipse's rim, in its smaller half-axis. */
const rim = (x: number, y: number, [cx, cy]: readonly [number, number], a: number, b: number) =>
  Math.abs(Math.hypot((x - cx) / a, (y - cy) / b) - 1)
const middle = (a: number, b: number) =>
  [(place(a)[0] + place(b)[0]) / 2, (place(a)[1] + place(b)[1]) / 2] as const
const mix = (color: readonly number[], other: readonly number[], share: number) =>
  color.map((value, c) => value * (1 - share) + other[c] * share)

/** Each changes the linear colour of a pixel. */
const kinds: Record<string, (color: number[], x: number, y: number) => number[]> = {
  'even light': (color) => color,
  'hard shadow': (color, x, y) =>
    x - place(27)[0] + 0.3 * (y - place(27)[1]) > 0 ? color.map((value) => 0.3 * value) : color,
  'two coloured lamps': (color, x) => {
    const side = 1 / (1 + Math.exp((place(27)[0] - x) / (0.08 * width)))
    return color.map((value, c) => value * ([1.3, 1, 0.6][c] * (1 - side) + [0.6, 0.9, 1.4][c] * side))
  },
  'strands of hair': (color, x, y) => {
    const above = y < place(19)[1] - 0.05 * width
    return above && Math.sin(x / (0.022 * width) + y / (0.2 * width)) > 0.4 ? [0.02, 0.012, 0.008] : color
  },
  'thin glasses': (color, x, y) => {
    const lens = Math.min(
      rim(x, y, middle(36, 39), 0.26 * width, 0.2 * width),
      rim(x, y, middle(42, 45), 0.26 * width, 0.2 * width),
    )
    return lens < 0.07 ? [0.03, 0.03, 0.035] : color
  },
  'burnt highlight': (color, x, y) => {
    const [cx, cy] = middle(21, 22)
    const away = Math.hypot(x - cx, y - cy + 0.35 * width) / (0.25 * width)
    return mix(color, [1, 1, 1], Math.exp(-away * away))
  },
  microphone: (color, x, y) =>
    Math.hypot(x - place(57)[0], y - place(8)[1] + 0.15 * width) < 0.2 * width ? [0.02, 0.02, 0.02] : color,
}

const rows = []
const strips: Float32Array[][] = []
for (const [kind, change] of Object.entries(kinds)) {
  const crop = ndarray(Float32Array.from(image.data), [SIZE, SIZE, 3])
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const at = 3 * (y * SIZE + x)
      const linear = [...image.data.subarray(at, at + 3)].map((value) => value ** 2.2)
      crop.data.set(
        change(linear, x, y).map((value) => Math.min(value, 1) ** (1 / 2.2)),
        at,
      )
    }
  const annotation: FaceAnnotation = {
    box: { x: 0, y: 0, width: SIZE, height: SIZE },
    score: 1,
    landmarks,
    alignment: {
      size: SIZE,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: crop,
      landmarks,
    },
    faceRegion: region,
    skinProbability: region,
    innerMouth,
    embedding: new Float32Array(128),
  }
  const picture = ndarray(
    Uint8Array.from(crop.data, (value) => Math.round(255 * value)),
    [SIZE, SIZE, 3],
  )
  const fit = { parameters, camera: defaultCamera, annotation }
  const size = Number(values.size)
  const maps = await createFaceTextures([picture], [fit], model, { size })
  const flat = await createFaceTextures([picture], [fit], model, { size, detail: false })
  const albedoError = ({ diffuse, seen }: typeof maps) => {
    let [sum, count] = [0, 0]
    for (let v = 0; v < model.vertexCount; v++) {
      const column = Math.min(Math.floor(model.uv!.get(v, 0) * size), size - 1)
      const row = Math.min(Math.floor((1 - model.uv!.get(v, 1)) * size), size - 1)
      if (seen.get(row, column) < 0.5) continue
      for (let c = 0; c < 3; c++) sum += Math.abs(diffuse.get(row, column, c) - wanted[3 * v + c])
      count += 3
    }
    return sum / Math.max(count, 1)
  }
  const [shaded, bare] = [maps.shading[0], undefined].map((shading) =>
    drawTextured(model, fit, { ...maps, shading }, { size: SIZE }),
  )
  const again = ({ lit, mask }: typeof shaded) => colorError(crop.data, lit, region.data, mask).mean
  rows.push({
    kind,
    albedo: albedoError(maps).toFixed(4),
    'without relief': albedoError(flat).toFixed(4),
    'photograph again': again(shaded).toFixed(4),
    'without shading': again(bare).toFixed(4),
  })
  strips.push([crop.data, shaded.diffuse, shaded.lit])
}
printTable(rows)
if (values.picture) {
  // Half the size: an overview.
  const half = SIZE / 2
  const data = new Uint8Array(strips.length * half * strips[0].length * half * 3)
  for (const [row, strip] of strips.entries())
    for (const [column, cell] of strip.entries())
      for (let y = 0; y < half; y++)
        for (let x = 0; x < 3 * half; x++) {
          const from = 3 * (2 * y * SIZE + 2 * Math.floor(x / 3)) + (x % 3)
          const value = (cell[from] + cell[from + 3] + cell[from + 3 * SIZE] + cell[from + 3 * SIZE + 3]) / 4
          data[((row * half + y) * strip.length + column) * 3 * half + x] =
            255 * Math.min(Math.max(value, 0), 1)
        }
  const png = encode({
    width: strips[0].length * half,
    height: strips.length * half,
    data,
    channels: 3,
    depth: 8,
  })
  await writeFile(values.picture, png)
}
