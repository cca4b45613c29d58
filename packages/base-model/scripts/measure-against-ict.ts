/** How well face models explain scanned people: random people of ICT-FaceKit, registered to our mesh. For each variant (or
 * given files): residual in mm for growing numbers of identity modes, most probable shape from 68 and from dense landmarks in space,
 * calibration of the coefficients, compactness, specificity; and each expression against ICT's of the same name. Needs
 * ../shared/data beside the repository:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/measure-against-ict.ts [model file...]
 */
import { parseArgs } from 'node:util'
import { createRandom } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { Matrix, solve } from 'ml-matrix'
import { loadBaseModel, type BaseModelVariant } from '../src/index.js'
import { readCanonicalFace } from './canonical-face.js'
import { buildFaceMesh } from './face-mesh.js'
import { makeNeutral } from './mean-face.js'
import { readIctModel } from './scans/ict-model.js'
import { principalModes, removeMotions } from './scans/identity.js'
import { makeMeanFace } from './scans/mean.js'
import { registerTemplate } from './scans/register-template.js'
import { transportField } from './scans/transport.js'

const { positionals } = parseArgs({ allowPositionals: true })
const VARIANTS = ['scans', 'learned', 'synthetic']
const COUNTS = [10, 20, 40, 60, 80]
const PEOPLE = 100
/** Noise of the landmarks, and of the vertices when coefficients are read off a whole face, mm. */
const [LANDMARK_NOISE, VERTEX_NOISE] = [1, 0.1]

const ict = readIctModel()
const canonical = readCanonicalFace()
const mesh = buildFaceMesh(canonical, makeNeutral(canonical))
const registration = registerTemplate(mesh, ict)
const face = makeMeanFace(mesh, ict, registration)
const skin = mesh.skinEnd * 3
const total = face.area.reduce((sum, value) => sum + value, 0)
const root = face.area.map((value) => Math.sqrt(value / total))
const ours = (field: Float32Array) => transportField(registration, face.rotation, field)
const own = ict.identity.map(ours)
removeMotions(own, face.positions.slice(0, skin), face.area)

const weighted = (fields: readonly ArrayLike<number>[]) =>
  new Matrix(
    fields.map((field) => Array.from({ length: skin }, (_, i) => field[i] * root[Math.floor(i / 3)])),
  )
const rms = (rows: Matrix) => Math.sqrt(rows.to1DArray().reduce((sum, v) => sum + v * v, 0) / rows.rows)
const random = createRandom(4711)
const drawn = new Matrix(Array.from({ length: PEOPLE }, () => own.map(() => random.normal())))
const people = drawn.mmul(weighted(own))

/** Most probable coefficients `[P, K]` of people seen at some of their coordinates, with noise. */
function coefficientsFrom(modes: Matrix, seen: Matrix, noise: number): Matrix {
  const normal = modes.mmul(modes.transpose()).add(Matrix.eye(modes.rows).mul(noise ** 2))
  return solve(normal, modes.mmul(seen.transpose())).transpose()
}

function report(modes: Matrix, vertices: Record<string, ArrayLike<number>>): void {
  const gram = modes.mmul(modes.transpose())
  const products = modes.mmul(people.transpose())
  const residuals = COUNTS.map((k) => {
    const coefficients = solve(
      gram.subMatrix(0, k - 1, 0, k - 1),
      products.subMatrix(0, k - 1, 0, PEOPLE - 1),
    ).transpose()
    return rms(Matrix.sub(people, coefficients.mmul(modes.subMatrix(0, k - 1, 0, skin - 1))))
  })
  console.log(
    `  residual with ${COUNTS.join(', ')} modes: ${residuals.map((r) => r.toFixed(2)).join('  ')} mm`,
  )
  for (const [name, list] of Object.entries(vertices)) {
    // Eyeballs are not registered.
    const at = Array.from(list)
      .filter((v) => v < mesh.skinEnd)
      .flatMap((v) => [0, 1, 2].map((c) => v * 3 + c))
    const pick = (rows: Matrix) =>
      new Matrix(rows.to2DArray().map((row) => at.map((i) => row[i] / root[Math.floor(i / 3)])))
    const noise = createRandom(31)
    const seen = pick(people).add(
      new Matrix(Array.from({ length: PEOPLE }, () => at.map(() => LANDMARK_NOISE * noise.normal()))),
    )
    const found = coefficientsFrom(pick(modes), seen, LANDMARK_NOISE)
    console.log(
      `  from ${name} with ${LANDMARK_NOISE} mm noise: ${rms(Matrix.sub(people, found.mmul(modes))).toFixed(2)} mm`,
    )
  }
  const whole = coefficientsFrom(modes, people, VERTEX_NOISE / Math.sqrt(mesh.skinEnd))
  const squares = whole.to1DArray().reduce((sum, value) => sum + value * value, 0)
  console.log(`  calibration, mean c'c / K: ${(squares / PEOPLE / modes.rows).toFixed(2)}`)
  const power = gram.diagonal()
  const all = power.reduce((a, b) => a + b, 0)
  const share = (k: number) => power.slice(0, k).reduce((a, b) => a + b, 0) / all
  console.log(`  compactness: ${COUNTS.map((k) => share(k).toFixed(3)).join('  ')}`)
  const numbers = createRandom(21)
  const coefficients = Array.from({ length: PEOPLE }, () =>
    Array.from({ length: modes.rows }, () => numbers.normal()),
  )
  const faces = new Matrix(coefficients).mmul(modes)
  const nearest = faces.to2DArray().map((row) =>
    Math.min(
      ...people.to2DArray().map((person) => {
        let sum = 0
        for (let i = 0; i < skin; i++) sum += (person[i] - row[i]) ** 2
        return Math.sqrt(sum)
      }),
    ),
  )
  console.log(
    `  random faces: ${rms(faces).toFixed(2)} mm from the mean, nearest of the people ${(nearest.reduce((a, b) => a + b, 0) / PEOPLE).toFixed(2)} mm away (specificity)`,
  )
}

/** Root mean square of the difference to ICT's expression of the same name, in parts of ICT's own. */
function expressionErrors(model: MorphableModel): [string, number][] {
  return model.shape.expressionNames!.map((name, k) => {
    const field = (ict.expressions.get(name) ?? ict.expressions.get(name.replace(/(L|R)(eft|ight)$/, '_$1')))!
    const theirs = ours(field)
    const data = model.shape.expression.data as Float32Array
    const basis = data.subarray(k * model.vertexCount * 3, k * model.vertexCount * 3 + skin)
    let [difference, size] = [0, 0]
    for (let i = 0; i < skin; i++) {
      difference += face.area[Math.floor(i / 3)] * (basis[i] - theirs[i]) ** 2
      size += face.area[Math.floor(i / 3)] * theirs[i] ** 2
    }
    return [name, Math.sqrt(difference / size)]
  })
}

console.log(`ICT: ${PEOPLE} people, ${rms(people).toFixed(2)} mm from their mean (root mean square, aligned)`)
console.log("ICT's own statistics:")
const shipped = await loadBaseModel()
report(weighted(principalModes(own, face.area, 80).modes), {
  '68 landmarks': shipped.landmarks,
  'dense landmarks': shipped.denseLandmarks!,
})
for (const name of positionals.length > 0 ? positionals : VARIANTS) {
  const model = await loadBaseModel(
    VARIANTS.includes(name) ? { variant: name as BaseModelVariant } : { source: name },
  )
  const size = model.vertexCount * 3
  const basis = model.shape.identity.data as Float32Array
  const fields = Array.from({ length: model.layout.identity }, (_, k) =>
    basis.subarray(k * size, k * size + skin),
  )
  console.log(`${name}:`)
  report(weighted(fields), { '68 landmarks': model.landmarks, 'dense landmarks': model.denseLandmarks! })
  const errors = expressionErrors(model)
  const sorted = errors.map(([, error]) => error).sort((a, b) => a - b)
  console.log(
    `  expressions, difference to ICT's in parts of ICT's: median ${sorted[26].toFixed(2)}; ${errors.map(([n, e]) => `${n} ${e.toFixed(2)}`).join(', ')}`,
  )
}
