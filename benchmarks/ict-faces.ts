// Shape accuracy against known faces: random people of ICT-FaceKit (statistics of scans) rendered under known light, fitted
// with a model from the picture and its labels, and compared point to plane after alignment (ICP with scale).
//   node --conditions=@facekit/source --import tsx benchmarks/ict-faces.ts [--model learned|synthetic|file]... [--skin synthetic|learned] [--faces 10] [--iterations 60]
// Needs ../shared/data/ict-facekit/raw beside the repository (8 identity modes, 8 expressions).
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom, disposeParameters, neutralParameters, type FaceParameters } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { fitFace } from '@facekit/fit'
import { evaluateShape, readIctFaceKit, type MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['learned', 'synthetic'] },
    /** Whose albedo the true faces have; a model knows its own best. */
    skin: { type: 'string', default: 'synthetic' },
    faces: { type: 'string', default: '10' },
    iterations: { type: 'string', default: '60' },
    data: {
      type: 'string',
      default: fileURLToPath(new URL('../../shared/data/ict-facekit/raw', import.meta.url)),
    },
  },
})
const SIZE = 224
/** Vertices farther than this from the nose's tip are not compared: there, meshes end at different places. mm */
const RADIUS = 85
/** Around the middle of an eye, which is not skin, mm. */
const EYE_RADIUS = 17

await initEngine({ backend: 'wasm' })
const load = (name: string) =>
  loadBaseModel(name === 'learned' || name === 'synthetic' ? { variant: name } : { source: name })
const models = await Promise.all(values.model.map(load))
const ict = await readIctFaceKit(values.data, { template: await load(values.skin) })

function randomPerson(seed: number): FaceParameters {
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

/** A perfect annotation of a rendered picture. */
async function label(parameters: FaceParameters): Promise<FaceAnnotation> {
  const rendering = renderFace(ict, parameters, { width: SIZE, height: SIZE, contour: 'visible' })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const points = await array(rendering.landmarks, [68, 2])
  const region = await array(rendering.mask, [SIZE, SIZE])
  return {
    box: { x: 0, y: 0, width: SIZE, height: SIZE },
    score: 1,
    landmarks: points,
    alignment: {
      size: SIZE,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: await array(rendering.image, [SIZE, SIZE, 3]),
      landmarks: points,
    },
    faceRegion: region,
    skinProbability: region,
    innerMouth: await array(rendering.innerMouth, [SIZE, SIZE]),
    embedding: new Float32Array(128),
  }
}

const shapeOf = (model: MorphableModel, { identity, expression }: FaceParameters) =>
  tf.tidy(() => evaluateShape(model, { identity, expression }).dataSync().slice() as Float32Array)

/** Normals of a surface, and which vertices it has. */
function surface(points: Float32Array, triangles: Int32Array) {
  const normals = new Float64Array(points.length)
  const used = new Set<number>()
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const [ux, uy, uz] = [0, 1, 2].map((k) => points[b + k] - points[a + k])
    const [vx, vy, vz] = [0, 1, 2].map((k) => points[c + k] - points[a + k])
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (const at of [a, b, c]) {
      used.add(at / 3)
      for (let k = 0; k < 3; k++) normals[at + k] += normal[k]
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1
    for (let k = 0; k < 3; k++) normals[i + k] /= length
  }
  return { normals, used: [...used] }
}

/** Mean distance, mm, of the true surface's points to the planes of the fitted one, after ICP with scale. */
function pointToPlane(truth: Float32Array, model: MorphableModel, fitted: Float32Array): number {
  const { used: candidates, normals: outwards } = surface(truth, ict.triangles)
  const at = (points: ArrayLike<number>, i: number) => [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]]
  const distance = (p: number[], q: number[]) => Math.hypot(...p.map((value, k) => value - q[k]))
  const tip = at(truth, ict.landmarks[30])
  const eyes = [36, 42].map((start) => {
    const lids = Array.from({ length: 6 }, (_, k) => at(truth, ict.landmarks[start + k]))
    return [0, 1, 2].map((c) => lids.reduce((sum, p) => sum + p[c] / 6, 0))
  })
  // Skin that faces forwards: without eyeballs, lids' insides, nostrils.
  const near = candidates.filter((i) => {
    const point = at(truth, i)
    return (
      outwards[i * 3 + 2] > 0.15 &&
      distance(point, tip) < RADIUS &&
      eyes.every((eye) => distance(point, eye) > EYE_RADIUS)
    )
  })
  const { normals } = surface(fitted, model.triangles)
  const eyeballs = new Set([...(model.regions?.eyeLeft ?? []), ...(model.regions?.eyeRight ?? [])])
  const target = surface(fitted, model.triangles).used.filter((i) => !eyeballs.has(i))
  // Landmarks of the inner face first, then the surface.
  const inner = Array.from({ length: 51 }, (_, k) => k + 17)
  let moved = similarity(
    inner.map((l) => at(truth, ict.landmarks[l])),
    inner.map((l) => at(fitted, model.landmarks[l])),
  )(near.map((i) => at(truth, i)))
  const nearest = (point: number[]) => {
    let [best, least] = [-1, Infinity]
    for (const j of target) {
      const dx = fitted[j * 3] - point[0]
      const dy = fitted[j * 3 + 1] - point[1]
      const dz = fitted[j * 3 + 2] - point[2]
      const d = dx * dx + dy * dy + dz * dz
      if (d < least) [best, least] = [j, d]
    }
    return best
  }
  const plane = (point: number[], j: number) =>
    [0, 1, 2].reduce((sum, k) => sum + (point[k] - fitted[j * 3 + k]) * normals[j * 3 + k], 0)
  for (let round = 0; round < 8; round++) {
    const some = moved.filter((_, i) => i % 3 === 0)
    const feet = some.map((point) => {
      const j = nearest(point)
      const d = plane(point, j)
      return point.map((value, k) => value - d * normals[j * 3 + k])
    })
    moved = similarity(some, feet)(moved)
  }
  const distances = moved.map((point) => Math.abs(plane(point, nearest(point))))
  // In units of the true face.
  const scale = spread(near.map((i) => at(truth, i))) / spread(moved)
  return (scale * distances.reduce((sum, d) => sum + d, 0)) / distances.length
}

const spread = (points: number[][]) => {
  const center = [0, 1, 2].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length)
  return Math.sqrt(
    points.reduce((sum, p) => sum + p.reduce((s, v, k) => s + (v - center[k]) ** 2, 0), 0) / points.length,
  )
}

/** Least-squares similarity by Horn's quaternions: power iteration on his 4 x 4 matrix. */
function similarity(from: number[][], to: number[][]): (points: number[][]) => number[][] {
  const mean = (points: number[][]) =>
    [0, 1, 2].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length)
  const [a, b] = [mean(from), mean(to)]
  const s = [0, 1, 2].map((r) =>
    [0, 1, 2].map((c) => from.reduce((sum, p, i) => sum + (p[r] - a[r]) * (to[i][c] - b[c]), 0)),
  )
  const matrix = [
    [s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]],
    [s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]],
    [s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]],
    [s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]],
  ]
  const shift = Math.max(...matrix.map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0)))
  let q = [1, 0, 0, 0]
  for (let round = 0; round < 500; round++) {
    const next = matrix.map((row, r) => row.reduce((sum, v, c) => sum + v * q[c], shift * q[r]))
    const length = Math.hypot(...next)
    q = next.map((v) => v / length)
  }
  const [w, x, y, z] = q
  const rotation = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ]
  const turn = (p: number[]) => rotation.map((row) => row.reduce((sum, v, k) => sum + v * (p[k] - a[k]), 0))
  let [above, below] = [0, 0]
  from.forEach((p, i) => {
    above += turn(p).reduce((sum, v, k) => sum + v * (to[i][k] - b[k]), 0)
    below += p.reduce((sum, v, k) => sum + (v - a[k]) ** 2, 0)
  })
  return (points) => points.map((p) => turn(p).map((v, k) => (above / below) * v + b[k]))
}

const rows = models.map(() => [] as { plane: number; mean: number; nme: number; color: number }[])
console.log('face  model                          point to plane mm   NME %   colour   (mean face alone, mm)')
for (let seed = 0; seed < Number(values.faces); seed++) {
  const parameters = randomPerson(seed)
  const truth = shapeOf(ict, parameters)
  const annotation = await label(parameters)
  const picture = ndarray(new Uint8Array(SIZE * SIZE * 3), [SIZE, SIZE, 3])
  for (const [m, model] of models.entries()) {
    const result = await fitFace(picture, annotation, model, { iterations: Number(values.iterations) })
    const plane = pointToPlane(truth, model, shapeOf(model, result.parameters))
    const mean = pointToPlane(truth, model, model.shape.mean.data as Float32Array)
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
