// Shape accuracy against known faces: random people of ICT-FaceKit (statistics of scans) rendered under known light, fitted
// with a model from the picture and its labels, and compared point to plane after alignment (ICP with scale).
//   node --conditions=@facekit/source --import tsx benchmarks/ict-faces.ts [--model learned|synthetic|file]... [--skin mixed|both|synthetic|learned] [--labels found|true] [--faces 10] [--first 0] [--iterations 60]
// Needs ../shared/data/ict-facekit/raw beside the repository (8 identity modes, 8 expressions).
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { closeLips, findLandmarks, type FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { scoreCase } from '@facekit/evaluation'
import { fitFace } from '@facekit/fit'
import { evaluateShape, readIctFaceKit, type MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['learned', 'synthetic'] },
    /** Whose albedo the true faces have. A model knows its own best: by default it is the mean of two random ones, one of each
     * model; with `both`, every second face has that of the other. */
    skin: { type: 'string', default: 'mixed' },
    /** Whether landmarks are found in the picture, as in photographs, or those of ICT's own vertices. */
    labels: { type: 'string', default: 'found' },
    faces: { type: 'string', default: '10' },
    /** Number of the first face. */
    first: { type: 'string', default: '0' },
    iterations: { type: 'string', default: '60' },
    data: {
      type: 'string',
      default: fileURLToPath(new URL('../../shared/data/ict-facekit/raw', import.meta.url)),
    },
  },
})
const SIZE = 224

await initEngine({ backend: 'wasm' })
const load = (name: string) =>
  loadBaseModel(name === 'learned' || name === 'synthetic' ? { variant: name } : { source: name })
const models = await Promise.all(values.model.map(load))
const skins = values.skin === 'both' ? ['synthetic', 'learned'] : [values.skin]
const truths = await Promise.all(
  skins.map(async (skin) =>
    readIctFaceKit(values.data, {
      template:
        skin === 'mixed' ? mixSkins(await load('synthetic'), await load('learned')) : await load(skin),
    }),
  ),
)

/** A model whose albedo is the mean of those of two models on one mesh, with the modes of both. */
function mixSkins(a: MorphableModel, b: MorphableModel): MorphableModel {
  const half = (one: NdArray, other: NdArray) =>
    [...(one.data as Float32Array), ...(other.data as Float32Array)].map((value) => value / 2)
  const mean = (one: NdArray, other: NdArray) =>
    ndarray(
      (one.data as Float32Array).map((value, i) => (value + (other.data as Float32Array)[i]) / 2),
      one.shape,
    )
  const count = a.layout.albedo + b.layout.albedo
  const modes = (one: NdArray, other: NdArray) =>
    ndarray(Float32Array.from(half(one, other)), [count, a.vertexCount, 3])
  return {
    ...a,
    albedo: {
      diffuseMean: mean(a.albedo.diffuseMean, b.albedo.diffuseMean),
      diffuse: modes(a.albedo.diffuse, b.albedo.diffuse),
      specularMean: mean(a.albedo.specularMean, b.albedo.specularMean),
      specular: modes(a.albedo.specular, b.albedo.specular),
    },
    layout: { ...a.layout, albedo: count },
  }
}

function randomPerson(ict: MorphableModel, seed: number): FaceParameters {
  const random = createRandom(7000 + seed)
  const neutral = neutralParameters(ict.layout)
  const row = (count: number, draw: (k: number) => number) =>
    tf.tensor2d([Array.from({ length: count }, (_, k) => draw(k))])
  const harmonics = Array.from({ length: 9 }, (_, b) => {
    const white = b === 0 ? random.normal(3.2, 0.3) : random.normal(0, b < 4 ? 0.6 : 0.2)
    return [white, white, white]
  })
  return {
    ...neutral,
    identity: row(ict.layout.identity, () => random.normal()),
    albedo: row(ict.layout.albedo, () => random.normal()),
    expression: row(ict.layout.expression, () => (random.uniform() < 0.3 ? random.uniform(0, 0.7) : 0)),
    pose: { ...neutral.pose, rotation: row(3, (k) => random.normal(0, [0.1, 0.3, 0.05][k])) },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([harmonics]),
      lightColor: row(3, () => 0.3),
    },
  }
}

/** The annotation of a rendered picture: perfect, except for landmarks that are found. */
async function label(ict: MorphableModel, parameters: FaceParameters): Promise<FaceAnnotation> {
  const rendering = renderFace(ict, parameters, { width: SIZE, height: SIZE, contour: 'visible' })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const image = await array(rendering.image, [SIZE, SIZE, 3])
  const known = await array(rendering.landmarks, [68, 2])
  const points = values.labels === 'true' ? known : await find(image, known)
  const region = await array(rendering.mask, [SIZE, SIZE])
  return {
    box: { x: 0, y: 0, width: SIZE, height: SIZE },
    score: 1,
    landmarks: points,
    alignment: {
      size: SIZE,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image,
      landmarks: points,
    },
    faceRegion: region,
    skinProbability: region,
    innerMouth: await array(rendering.innerMouth, [SIZE, SIZE]),
    embedding: new Float32Array(128),
  }
}

/** Landmarks that the network finds where the face is. */
async function find(image: NdArray<Float32Array>, known: NdArray<Float32Array>) {
  const picture = ndarray(
    Uint8Array.from(image.data, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
    image.shape,
  )
  const along = (axis: number) => Array.from({ length: 68 }, (_, l) => known.get(l, axis))
  const [x, y] = [0, 1].map((axis) => Math.min(...along(axis)))
  const [width, height] = [Math.max(...along(0)) - x, Math.max(...along(1)) - y]
  const points = await findLandmarks(picture, { x, y, width, height })
  return closeLips(image, points)
}

const shapeOf = (model: MorphableModel, { identity, expression }: FaceParameters) =>
  tf.tidy(() => evaluateShape(model, { identity, expression }).dataSync().slice() as Float32Array)

/** Mean distance, mm, of the true face from the planes of another one. */
function pointToPlane(
  ict: MorphableModel,
  truth: Float32Array,
  model: MorphableModel,
  found: Float32Array,
): number {
  const which = Array.from({ length: 68 }, (_, i) => i)
  const landmarksOf = ({ landmarks }: MorphableModel, shape: Float32Array) => ({
    which,
    positions: Float64Array.from(which.flatMap((i) => [0, 1, 2].map((c) => shape[landmarks[i] * 3 + c]))),
  })
  const { scores } = scoreCase(
    'surface',
    { scan: { positions: truth, triangles: ict.triangles }, landmarks: landmarksOf(ict, truth) },
    { surface: { positions: found, triangles: model.triangles }, landmarks: landmarksOf(model, found) },
  )
  return scores.pointToPlane!
}

const rows = models.map(() => [] as { plane: number; mean: number; nme: number; color: number }[])
console.log('face  model                          point to plane mm   NME %   colour   (mean face alone, mm)')
const first = Number(values.first)
for (let seed = first; seed < first + Number(values.faces); seed++) {
  const ict = truths[seed % truths.length]
  const parameters = randomPerson(ict, seed)
  const truth = shapeOf(ict, parameters)
  const annotation = await label(ict, parameters)
  const picture = ndarray(new Uint8Array(SIZE * SIZE * 3), [SIZE, SIZE, 3])
  for (const [m, model] of models.entries()) {
    const result = await fitFace(picture, annotation, model, { iterations: Number(values.iterations) })
    const plane = pointToPlane(ict, truth, model, shapeOf(model, result.parameters))
    const mean = pointToPlane(ict, truth, model, model.shape.mean.data as Float32Array)
    rows[m].push({ plane, mean, nme: 100 * result.metrics.landmarkError, color: result.metrics.colorError })
    const { nme, color } = rows[m].at(-1)!
    console.log(
      `${String(seed).padEnd(6)}${values.model[m].slice(-28).padEnd(30)}${plane.toFixed(3).padStart(12)}${nme.toFixed(2).padStart(14)}${color.toFixed(4).padStart(10)}${mean.toFixed(3).padStart(14)}`,
    )
    disposeParameters(result.parameters)
  }
  disposeParameters(parameters)
}
rows.forEach((list, m) => {
  const mean = (of: (row: (typeof list)[number]) => number) =>
    (list.reduce((sum, row) => sum + of(row), 0) / list.length).toFixed(4)
  console.log(
    `${values.model[m]}: point to plane ${mean((r) => r.plane)} mm, NME ${mean((r) => r.nme)} %, colour ${mean((r) => r.color)}; mean face alone ${mean((r) => r.mean)} mm`,
  )
})
