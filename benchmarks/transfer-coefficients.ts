// How well coefficients of one model can be refitted to another with another mesh: random identities with one expression, from
// ICT-FaceKit to the base model, and back.
//
//   node --conditions=@facekit/source --import tsx benchmarks/transfer-coefficients.ts [folder of ICT-FaceKit] [faces, default 10]
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { readIctFaceKit, surfaceCorrespondence, transferCoefficients } from '@facekit/morphable'

const folder = process.argv[2] ?? new URL('../../shared/data/ict-facekit/raw', import.meta.url).pathname
const faces = Number(process.argv[3] ?? 10)
const base = await loadBaseModel()
const started = performance.now()
const ict = await readIctFaceKit(folder, { template: base })
console.log(`ICT-FaceKit: ${((performance.now() - started) / 1000).toFixed(1)} s, ${ict.origin}`)
const random = createRandom(1)
const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

for (const [from, to] of [
  [ict, base],
  [base, ict],
]) {
  const begin = performance.now()
  const correspondence = surfaceCorrespondence(to, from)
  const registered = (performance.now() - begin) / 1000
  const near = correspondence.distances.filter((distance) => distance <= 4)
  const shape: number[] = []
  const albedo: number[] = []
  const start = performance.now()
  for (let i = 0; i < faces; i++) {
    const expression = new Float32Array(from.layout.expression)
    if (i % 2 === 1) expression[Math.floor(random.uniform() * expression.length)] = 0.7
    const coefficients = {
      identity: draw(from.layout.identity),
      expression,
      albedo: draw(from.layout.albedo),
    }
    const found = transferCoefficients(from, to, coefficients, { correspondence })
    shape.push(found.shapeError)
    albedo.push(found.albedoError)
  }
  console.log(
    `${from.name} -> ${to.name}: ${mean(shape).toFixed(2)} mm, albedo ${mean(albedo).toFixed(4)}; means ${mean([...near]).toFixed(2)} mm apart where they meet (${((100 * near.length) / to.vertexCount).toFixed(0)} % of the vertices); correspondence ${registered.toFixed(1)} s, each face ${((performance.now() - start) / faces / 1000).toFixed(2)} s`,
  )
}
