/** How well the identity modes explain real people: residual in mm of random identities of ICT-FaceKit (scan statistics),
 * for growing numbers of modes, and their spread against ours. Needs ../shared/data/ict-facekit beside the repository:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/measure-against-ict.ts
 */
import { readFileSync } from 'node:fs'
import { createRandom, readSafetensors } from '@facekit/core'
import { Matrix, QrDecomposition, SVD } from 'ml-matrix'
import { loadBaseModel } from '../src/index.js'
import { readCanonicalFace } from './canonical-face.js'
import { controlArea } from './control-area.js'
import { skinTriangles } from './face-mesh.js'
import { SmoothDeformation, type Handles } from './smooth-deformation.js'

const PEOPLE = 50
const path =
  process.argv[2] ?? new URL('../../../../shared/data/ict-facekit/ict-facekit.safetensors', import.meta.url)
const { tensors } = readSafetensors(readFileSync(path), 'measure-against-ict')
const array = (name: string) => tensors.get(name)!.data
const ictMean = Float64Array.from(array('mean'), (cm) => cm * 10)
const ictLandmarks = array('landmarks68')
const ictBasis = array('identity_basis')
const ictCount = ictMean.length / 3
const FACE_VERTICES = 9409

const model = await loadBaseModel()
const canonical = readCanonicalFace()
const control = 468
const skin = skinTriangles(canonical.triangles)
const mean = Float64Array.from((model.shape.mean.data as Float32Array).subarray(0, control * 3))
const weights = controlArea(mean, skin)
const totalWeight = weights.reduce((sum, w) => sum + w, 0)
// Faces without the jaw line's landmarks: those lie at other places in the two meshes.
const inner = Array.from({ length: 51 }, (_, i) => i + 17)

/** Similarity transform (Umeyama) that takes `from` to `to`, applied to `points`. */
function align(
  from: Float64Array,
  to: Float64Array,
  points: Float64Array,
  w: ArrayLike<number>,
): Float64Array {
  const count = from.length / 3
  const total = Array.from({ length: count }, (_, i) => w[i]).reduce((a, b) => a + b, 0)
  const center = (p: Float64Array) =>
    [0, 1, 2].map(
      (c) => Array.from({ length: count }, (_, i) => w[i] * p[i * 3 + c]).reduce((a, b) => a + b, 0) / total,
    )
  const [a, b] = [center(from), center(to)]
  const cross = Matrix.zeros(3, 3)
  let variance = 0
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < 3; r++) {
      variance += w[i] * (from[i * 3 + r] - a[r]) ** 2
      for (let c = 0; c < 3; c++) {
        cross.set(r, c, cross.get(r, c) + w[i] * (to[i * 3 + r] - b[r]) * (from[i * 3 + c] - a[c]))
      }
    }
  }
  const svd = new SVD(cross)
  const rotation = svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose())
  const scale = svd.diagonal.reduce((x, y) => x + y, 0) / variance
  return points.map((_, i) => {
    const [v, r] = [Math.floor(i / 3), i % 3]
    let value = b[r]
    for (let c = 0; c < 3; c++) value += scale * rotation.get(r, c) * (points[v * 3 + c] - a[c])
    return value
  })
}

const pick = (points: ArrayLike<number>, vertices: readonly number[]) =>
  Float64Array.from(vertices.flatMap((v) => [points[v * 3], points[v * 3 + 1], points[v * 3 + 2]]))
const ones = new Float64Array(control).fill(1)
const ictInner = inner.map((l) => Number(ictLandmarks[l]))
const ourInner = inner.map((l) => model.landmarks[l])
const ictAligned = align(pick(ictMean, ictInner), pick(mean, ourInner), ictMean, ones)

// Bend our mean onto ICT's by the landmarks, then by the nearest points, a few times.
const surface = new SmoothDeformation(mean, skin, { stretch: 0.004 })
const handles: Handles = new Map()
ourInner.forEach((v, k) =>
  handles.set(
    v,
    [0, 1, 2].map((c) => ictAligned[ictInner[k] * 3 + c] - mean[v * 3 + c]) as [number, number, number],
  ),
)
let bent = mean.slice()
const nearest = new Int32Array(control)
for (let round = 0; round < 6; round++) {
  const moved = surface.solve(handles, round === 0 ? 100 : 0.05)
  bent = mean.map((value, i) => value + moved[i])
  for (let v = 0; v < control; v++) {
    let best = Infinity
    for (let j = 0; j < FACE_VERTICES; j++) {
      let d = 0
      for (let c = 0; c < 3; c++) d += (ictAligned[j * 3 + c] - bent[v * 3 + c]) ** 2
      if (d < best) {
        best = d
        nearest[v] = j
      }
    }
    handles.set(
      v,
      [0, 1, 2].map((c) => ictAligned[nearest[v] * 3 + c] - mean[v * 3 + c]) as [number, number, number],
    )
  }
  ourInner.forEach((v, k) => (nearest[v] = ictInner[k]))
}
const scan = (coefficients: readonly number[]) => {
  const shape = new Float64Array(control * 3)
  for (let v = 0; v < control; v++) {
    for (let c = 0; c < 3; c++) {
      let value = ictMean[nearest[v] * 3 + c]
      coefficients.forEach((b, k) => (value += 10 * b * ictBasis[(k * ictCount + nearest[v]) * 3 + c]))
      shape[v * 3 + c] = value
    }
  }
  return shape
}
const none: number[] = []
const ictNeutral = align(scan(none), mean, scan(none), weights)
const random = createRandom(11)
// The first numbers of small seeds are alike.
for (let i = 0; i < 8; i++) random.uniform()
const root = weights.map((w) => Math.sqrt(w / totalWeight))
const weighted = (field: ArrayLike<number>) =>
  Array.from(field, (value, i) => value * root[Math.floor(i / 3)])
const people = Array.from({ length: PEOPLE }, () => {
  const shape = scan(Array.from({ length: 100 }, () => random.normal()))
  const aligned = align(shape, ictNeutral, shape, weights)
  return weighted(aligned.map((value, i) => value - ictNeutral[i]))
})
const rms = (lists: readonly (readonly number[])[]) =>
  Math.sqrt(
    lists.reduce((sum, list) => sum + list.reduce((s, value) => s + value * value, 0), 0) / lists.length,
  )
const basis = model.shape.identity.data as Float32Array
const mode = (k: number) =>
  weighted(basis.subarray(k * model.vertexCount * 3, k * model.vertexCount * 3 + control * 3))
console.log(`ICT people differ from their mean by ${rms(people).toFixed(2)} mm (root mean square, aligned)`)
for (const k of [10, 20, 40, 60, 80]) {
  const modes = new Matrix(Array.from({ length: k }, (_, i) => mode(i))).transpose()
  const targets = new Matrix(people).transpose()
  const solution = new QrDecomposition(modes).solve(targets)
  const residual = Matrix.sub(targets, modes.mmul(solution)).transpose().to2DArray()
  console.log(
    `${k} modes: residual ${rms(residual).toFixed(2)} mm, coefficients' rms ${Math.sqrt(solution.to1DArray().reduce((s, v) => s + v * v, 0) / k / PEOPLE).toFixed(2)}`,
  )
}
const ours = Array.from({ length: PEOPLE }, () => {
  const sum = Array.from({ length: control * 3 }, () => 0)
  for (let k = 0; k < 80; k++) {
    const b = random.normal()
    mode(k).forEach((value, i) => (sum[i] += b * value))
  }
  return sum
})
console.log(`our random faces: ${rms(ours).toFixed(2)} mm`)
const parts = {
  'nose tip': [4, 1],
  chin: [152, 199, 175],
  cheek: [50, 280, 205, 425],
  brow: [105, 334, 66, 296],
  'eye corner': [33, 263, 133, 362],
  mouth: [61, 291, 0, 17],
  'jaw rim': [172, 397, 58, 288],
  forehead: [10, 109, 338, 151],
}
for (const [name, vertices] of Object.entries(parts)) {
  const deviation = (lists: readonly (readonly number[])[], c: number) =>
    Math.sqrt(
      vertices.reduce(
        (sum, v) => sum + lists.reduce((s, list) => s + (list[v * 3 + c] / root[v]) ** 2, 0),
        0,
      ) /
        vertices.length /
        lists.length,
    ).toFixed(1)
  console.log(
    `${name}: x y z deviations of ICT ${[0, 1, 2].map((c) => deviation(people, c)).join(' ')}, ours ${[0, 1, 2].map((c) => deviation(ours, c)).join(' ')}`,
  )
}
