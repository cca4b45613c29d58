import { existsSync } from 'node:fs'
import { createRandom } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import { Matrix, solve } from 'ml-matrix'
import { expect, it } from 'vitest'
import { readCanonicalFace } from '../scripts/canonical-face.js'
import { buildFaceMesh } from '../scripts/face-mesh.js'
import { makeNeutral } from '../scripts/mean-face.js'
import { readIctModel } from '../scripts/scans/ict-model.js'
import { removeMotions } from '../scripts/scans/identity.js'
import { makeMeanFace } from '../scripts/scans/mean.js'
import { registerTemplate } from '../scripts/scans/register-template.js'
import { transportField } from '../scripts/scans/transport.js'

const data = new URL('../../../../shared/data/ict-facekit/ict-facekit.safetensors', import.meta.url)
const PEOPLE = 40

it.skipIf(!existsSync(data))(
  'value: scanned people who were not drawn for the model have coefficients of deviation 1, and little is left of them',
  { timeout: 240_000 },
  async () => {
    const ict = readIctModel(data)
    const canonical = readCanonicalFace()
    const mesh = buildFaceMesh(canonical, makeNeutral(canonical))
    const registration = registerTemplate(mesh, ict)
    const face = makeMeanFace(mesh, ict, registration)
    const model = await loadBaseModel({ variant: 'scans' })
    const mean = model.shape.mean.data as Float32Array
    // The file is what the registration gives.
    for (let i = 0; i < mesh.skinEnd * 3; i += 7) expect(mean[i]).toBeCloseTo(face.positions[i], 2)

    const fields = ict.identity.map((field) => transportField(registration, face.rotation, field))
    removeMotions(fields, face.positions.slice(0, mesh.skinEnd * 3), face.area)
    const total = face.area.reduce((sum, value) => sum + value, 0)
    const root = face.area.map((value) => Math.sqrt(value / total))
    // Every fifth vertex stands for all.
    const at = Array.from({ length: Math.floor(mesh.skinEnd / 5) }, (_, v) => v * 5)
    const pick = (field: ArrayLike<number>) =>
      at.flatMap((v) => [0, 1, 2].map((c) => field[v * 3 + c] * root[v] * Math.sqrt(5)))
    const random = createRandom(99)
    const drawn = Array.from({ length: PEOPLE }, () => fields.map(() => random.normal()))
    const people = new Matrix(drawn).mmul(new Matrix(fields.map(pick)))
    const size = model.vertexCount * 3
    const basis = model.shape.identity.data as Float32Array
    const modes = new Matrix(
      Array.from({ length: model.layout.identity }, (_, k) => pick(basis.subarray(k * size, (k + 1) * size))),
    )
    // Noise of 0.1 mm at each vertex.
    const normal = modes.mmul(modes.transpose()).add(Matrix.eye(modes.rows).mul(0.1 ** 2 / mesh.skinEnd))
    const coefficients = solve(normal, modes.mmul(people.transpose()))
    const squares = coefficients.to1DArray().reduce((sum, value) => sum + value * value, 0)
    const calibration = squares / PEOPLE / modes.rows
    expect(calibration).toBeGreaterThan(0.8)
    expect(calibration).toBeLessThan(1.25)
    const power = (rows: Matrix) => rows.to1DArray().reduce((sum, value) => sum + value * value, 0)
    const rest = Matrix.sub(people, coefficients.transpose().mmul(modes))
    expect(Math.sqrt(power(people) / PEOPLE)).toBeGreaterThan(2.4)
    expect(Math.sqrt(power(rest) / PEOPLE)).toBeLessThan(0.22)
  },
)
