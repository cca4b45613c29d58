// How much of a head's shape landmarks tell: heads with known coefficients, of ICT-FaceKit (statistics of scans) or of a base model, fitted with the
// model that made them.
//   node --conditions=@facekit/source --import tsx benchmarks/fit-landmarks.ts [--model ict|learned|...|file] [--heads 40] [--expressions]
//     [--noise 1] [--depth-noise 3] [--share 0.5] [--length 25] [--yaw 0] [--points 68|dense|both] [--mean 0.1] [--seed 1]
// Vertex error after a similarity (mm), the share of the differences between heads that is recovered, the share of vertices within the posterior's
// deviation, milliseconds of a processor a face. `ict` needs ../shared/data/ict-facekit beside the repository.
import { fileURLToPath } from 'node:url'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createRandom, readSafetensors } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { fitDenseLandmarks, fitLandmarks, shapeUncertainty } from '@facekit/fit'
import { fitSimilarity3d, applySimilarity3d } from '@facekit/mesh'
import { createMorphableModel, type MorphableModel } from '@facekit/morphable'
import ndarray from 'ndarray'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'ict' },
    heads: { type: 'string', default: '40' },
    expressions: { type: 'boolean', default: false },
    /** Pixels of a 224 picture. */
    noise: { type: 'string', default: '1' },
    'depth-noise': { type: 'string', default: '3' },
    share: { type: 'string', default: '0.5' },
    length: { type: 'string', default: '25' },
    yaw: { type: 'string', default: '0' },
    points: { type: 'string', default: 'both' },
    /** Of the expression prior. */
    mean: { type: 'string', default: '' },
    asymmetry: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
  },
})
const number = (name: keyof typeof values) => Number(values[name])
await initEngine({ backend: 'wasm' })

/** ICT-FaceKit's narrow face as a model, with 500 dense landmarks. */
async function ictModel(): Promise<MorphableModel> {
  const file = fileURLToPath(
    new URL('../../shared/data/ict-facekit/ict-facekit.safetensors', import.meta.url),
  )
  const { metadata, tensors } = readSafetensors(await readFile(file), 'ict-facekit')
  const count = 9409
  const read = (name: string) => {
    const { data, shape } = tensors.get(name)!
    const rows = shape.length === 3 ? shape[0] : 1
    const all = data as Float32Array
    const size = all.length / rows
    const kept = new Float32Array(rows * count * 3)
    for (let k = 0; k < rows; k++)
      for (let i = 0; i < 3 * count; i++) kept[k * 3 * count + i] = 10 * all[k * size + i]
    return shape.length === 3 ? ndarray(kept, [rows, count, 3]) : ndarray(kept, [count, 3])
  }
  const mean = read('mean')
  const landmarks = Int32Array.from(tensors.get('landmarks68')!.data as Int32Array)
  const triangles = Int32Array.from(tensors.get('triangles')!.data as Int32Array).subarray(0, 3 * 18460)
  const used = new Uint8Array(count)
  for (const vertex of triangles) used[vertex] = 1
  const dense = [...landmarks]
  const nearest = new Float64Array(count).fill(Infinity)
  const squared = (a: number, b: number) =>
    [0, 1, 2].reduce((sum, axis) => sum + (mean.data[3 * a + axis] - mean.data[3 * b + axis]) ** 2, 0)
  const update = (chosen: number) => {
    for (let i = 0; i < count; i++) nearest[i] = Math.min(nearest[i], squared(i, chosen))
  }
  dense.forEach(update)
  while (dense.length < 560) {
    let next = 0
    // The narrow face: what a picture shows.
    for (let i = 1; i < 6706; i++) if (used[i] && nearest[i] > nearest[next]) next = i
    dense.push(next)
    update(next)
  }
  const model = createMorphableModel({
    name: 'ict',
    mean,
    identity: read('identity_basis'),
    expression: read('expression_basis'),
    expressionNames: JSON.parse(metadata.expression_names) as string[],
    expressionRange: [0, 1],
    triangles,
    landmarks,
  })
  return { ...model, denseLandmarks: Int32Array.from(dense) }
}

const model =
  values.model === 'ict'
    ? await ictModel()
    : await loadBaseModel(
        /[./]/.test(values.model) ? { source: values.model } : { variant: values.model as 'learned' },
      )
const { identity: Ki, expression: Ke } = model.layout
const n3 = 3 * model.vertexCount
const random = createRandom(number('seed'))

function shapeOf(identity: ArrayLike<number>, expression: ArrayLike<number>): Float32Array {
  const shape = Float32Array.from(model.shape.mean.data as Float32Array)
  const add = (basis: Float32Array, coefficients: ArrayLike<number>) => {
    for (let k = 0; k < coefficients.length; k++)
      if (coefficients[k] !== 0) for (let i = 0; i < n3; i++) shape[i] += coefficients[k] * basis[k * n3 + i]
  }
  add(model.shape.identity.data as Float32Array, identity)
  add(model.shape.expression.data as Float32Array, expression)
  return shape
}

/** Errors with unit variance, of which neighbours share a part. */
function errors(places: Float32Array): Float64Array {
  const [share, length] = [number('share'), number('length')]
  const n = places.length / 3
  const own = Float64Array.from({ length: n }, () => random.normal(0, Math.sqrt(1 - share)))
  if (share === 0) return own
  // Random Fourier features: a smooth random field of that length.
  const waves = Array.from({ length: 200 }, () => ({
    direction: [0, 1, 2].map(() => random.normal(0, 1 / length)),
    phase: random.uniform(0, 2 * Math.PI),
  }))
  for (let i = 0; i < n; i++)
    for (const { direction, phase } of waves)
      own[i] +=
        Math.sqrt((2 * share) / waves.length) *
        Math.cos(phase + direction.reduce((sum, d, axis) => sum + d * places[3 * i + axis], 0))
  return own
}

const rows: Record<
  string,
  { error: number; mean: number; within: number; ms: number; expression: number }[]
> = {}
const radians = (degrees: number) => (degrees * Math.PI) / 180
for (let head = 0; head < number('heads'); head++) {
  const identity = Float32Array.from({ length: Ki }, () => random.normal())
  const expression = new Float32Array(Ke)
  if (values.expressions) {
    const pick = () => random.integer(Ke)
    for (let k = 0; k < 5; k++) expression[pick()] = random.uniform(0.1, 0.8)
  }
  const truth = shapeOf(identity, expression)
  const yaw = radians(number('yaw')) * (head % 2 === 0 ? 1 : -1) + random.normal(0, 0.05)
  const pitch = random.normal(0, 0.1)
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)]
  const camera = (vertex: number) => {
    const [x, y, z] = truth.subarray(3 * vertex, 3 * vertex + 3)
    const [y1, z1] = [cp * y - sp * z, sp * y + cp * z]
    return [cy * x + sy * z1, y1, -sy * x + cy * z1]
  }
  const vertices = model.denseLandmarks ?? model.landmarks
  const count = vertices.length
  const places = new Float32Array(3 * count)
  vertices.forEach((vertex, i) => places.set(truth.subarray(3 * vertex, 3 * vertex + 3), 3 * i))
  const [ex, ey, ez] = [errors(places), errors(places), errors(places)]
  const positions = ndarray(new Float32Array(2 * count), [count, 2])
  const seen = Array.from(vertices, camera)
  const meanZ = seen.reduce((sum, p) => sum + p[2], 0) / count
  const gain = 1015 / (1000 - meanZ)
  const [sigma, sigmaDepth] = [number('noise'), number('depth-noise')]
  seen.forEach(([x, y, z], i) => {
    positions.set(i, 0, 112 + (1015 * x) / (1000 - z) + sigma * ex[i])
    positions.set(i, 1, 112 - (1015 * y) / (1000 - z) + sigma * ey[i])
  })
  const depths = Float32Array.from(seen, ([, , z], i) => (z - meanZ) * gain + sigmaDepth * ez[i])
  const options = {
    modelDeviation: 0.05,
    landmarkDeviation: sigma,
    noise: { share: number('share'), length: number('length') },
    expression: {
      ...(values.mean && { mean: number('mean') }),
      ...(values.asymmetry && { asymmetry: number('asymmetry') }),
    },
  }
  const landmarks = ndarray(positions.data.slice(0, 136), [68, 2])
  const methods = {
    ...(values.points !== 'dense' && {
      '68 points': () => fitLandmarks(landmarks, { ...model, jawContours: undefined }, options),
    }),
    ...(values.points !== '68' &&
      model.denseLandmarks && {
        dense: () =>
          fitDenseLandmarks(
            {
              positions,
              deviations: new Float32Array(count).fill(sigma),
              depths: new Float32Array(count),
              depthDeviations: new Float32Array(count).fill(1000),
              landmarks,
            },
            model,
            options,
          ),
        'dense with depths': () =>
          fitDenseLandmarks(
            {
              positions,
              deviations: new Float32Array(count).fill(sigma),
              depths,
              depthDeviations: new Float32Array(count).fill(sigmaDepth),
              landmarks,
            },
            model,
            options,
          ),
      }),
  }
  const errorsOf = (shape: Float32Array) => {
    const moved = applySimilarity3d(fitSimilarity3d(shape, truth), shape)
    return Float64Array.from({ length: model.vertexCount }, (_, i) =>
      Math.hypot(
        moved[3 * i] - truth[3 * i],
        moved[3 * i + 1] - truth[3 * i + 1],
        moved[3 * i + 2] - truth[3 * i + 2],
      ),
    )
  }
  const average = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0) / list.length
  const mean = average(errorsOf(shapeOf([], expression)))
  for (const [name, run] of Object.entries(methods)) {
    const started = process.cpuUsage()
    const fit = run()
    const used = process.cpuUsage(started)
    const ms = (used.user + used.system) / 1000
    const found = errorsOf(shapeOf(fit.identity, fit.expression))
    const radius = await shapeUncertainty(
      model,
      Float32Array.from([...fit.identity, ...fit.expression]),
      fit.posterior.covariance,
    )
    const within = average(Array.from(found, (error, i) => (error <= radius[i] ? 1 : 0)))
    const wrong = average(fit.expression.map((value, k) => Math.abs(value - expression[k])))
    ;(rows[name] ??= []).push({ error: average(found), mean, within, ms, expression: wrong })
  }
}
console.log('observation          error mm   mean face   within   expression   ms (median)')
for (const [name, list] of Object.entries(rows)) {
  const mean = (of: (row: (typeof list)[number]) => number) =>
    list.reduce((sum, row) => sum + of(row), 0) / list.length
  const times = list.map((row) => row.ms).sort((a, b) => a - b)
  console.log(
    `${name.padEnd(20)}${mean((r) => r.error)
      .toFixed(3)
      .padStart(9)}${mean((r) => r.mean)
      .toFixed(3)
      .padStart(12)}` +
      `${(100 * mean((r) => r.within)).toFixed(1).padStart(8)} %${mean((r) => r.expression)
        .toFixed(4)
        .padStart(12)}${times[times.length >> 1].toFixed(0).padStart(12)}`,
  )
}
