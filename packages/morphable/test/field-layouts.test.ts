import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, ModelFormatError, ValueError } from '@facekit/core'
import {
  detectModelFormat,
  readArrayModel,
  readLsfm,
  readMeshFolder,
  readMorphableModel,
  validateModel,
} from '@facekit/morphable'
import { encodeMatFile, type MatVariable } from '@facekit/testing'
import { zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { face, npy } from './face-files.js'

const model = face()
const { vertexCount, layout, shape, triangles, landmarks } = model
const size = vertexCount * 3
const rows = triangles.length / 3
const options = { landmarks, crop: 'none', template: model } as const
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-layouts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0)
const mode = (data: Float32Array, k: number) => data.subarray(k * size, (k + 1) * size)

describe('readLsfm', () => {
  const lengths = Array.from({ length: layout.identity }, (_, k) =>
    Math.hypot(...mode(shape.identity.data, k)),
  )
  /** The tiny face in the layout of `all_all_all.mat`: modes of length 1, column by column, and variances. */
  const variables = (first: number): MatVariable[] => [
    { name: 'mean', shape: [size, 1], values: shape.mean.data },
    {
      name: 'components',
      shape: [size, layout.identity],
      values: shape.identity.data.map((value, i) => value / lengths[Math.floor(i / size)]),
    },
    { name: 'eigenvalues', shape: [1, layout.identity], values: lengths.map((value) => value ** 2) },
    {
      name: 'trilist',
      shape: [rows, 3],
      values: Float64Array.from(
        triangles,
        (_, i) => triangles[(i % rows) * 3 + Math.floor(i / rows)] + first,
      ),
    },
    { name: 'n_training_samples', shape: [1, 1], values: [9663] },
  ]
  const changed = (name: string, part: Partial<MatVariable>) =>
    encodeMatFile(
      variables(0).map((variable) => (variable.name === name ? { ...variable, ...part } : variable)),
    )

  it('value: shape in standard deviations, triangles from 0 or from 1, told from Basel by its content', async () => {
    for (const first of [0, 1]) {
      const bytes = encodeMatFile(variables(first))
      expect(await detectModelFormat(bytes)).toBe('lsfm')
      const read = await readMorphableModel(bytes, options)
      validateModel(read)
      expect(read.triangles).toEqual(triangles)
      expect(read.layout).toEqual({ identity: layout.identity, expression: 0, albedo: layout.albedo })
      expect(worst(read.shape.identity.data, shape.identity.data)).toBeLessThan(1e-3)
    }
  })

  it('value: modes as rows, as other programs store them, and fewer of them', async () => {
    const { values } = variables(0)[1]
    const rowsFirst = Array.from(
      { length: values.length },
      (_, i) => values[(i % layout.identity) * size + Math.floor(i / layout.identity)],
    )
    const bytes = changed('components', { shape: [layout.identity, size], values: rowsFirst })
    const read = await readLsfm(bytes, { ...options, identityModes: 2 })
    expect(read.layout.identity).toBe(2)
    expect(worst(read.shape.identity.data, shape.identity.data)).toBeLessThan(1e-3)
  })

  it('throws: what is missing or does not fit, by its name', async () => {
    const without = encodeMatFile(variables(0).filter(({ name }) => name !== 'trilist'))
    await expect(readLsfm(without, options)).rejects.toThrow(/variable "trilist" is missing/)
    const negative = lengths.map(() => -1)
    await expect(readLsfm(changed('eigenvalues', { values: negative }), options)).rejects.toThrow(
      /eigenvalues holds -1, expected variances/,
    )
    const few = changed('eigenvalues', { shape: [1, 1], values: [1] })
    await expect(readLsfm(few, options)).rejects.toThrow(/modes and 1 deviations/)
    const beyond = changed('trilist', {
      values: triangles.map((vertex) => vertex + 2),
    })
    await expect(readLsfm(beyond, options)).rejects.toThrow(ModelFormatError)
  })
})

describe("FaceScape's bilinear model", () => {
  // Identity factors about a mean of their own, as of a Tucker decomposition.
  const [identities, expressions] = [layout.identity + 1, layout.expression + 1]
  const mean = Float32Array.from({ length: identities }, (_, k) => (k === 0 ? 2 : 0))
  const variances = Float32Array.from({ length: identities }, (_, k) => (k === 0 ? 0 : 0.25))
  const core = new Float32Array(size * expressions * identities)
  for (let i = 0; i < size; i++)
    for (let e = 0; e < expressions; e++)
      for (let k = 0; k < identities; k++) {
        const own = k === 0 ? shape.mean.data[i] / 2 : 2 * shape.identity.data[(k - 1) * size + i]
        const moved = e > 0 && k === 0 ? shape.expression.data[(e - 1) * size + i] / 2 : 0
        core[(i * expressions + e) * identities + k] = own + moved
      }
  const arrays = {
    'shape_bm_core.npy': npy(core, [size, expressions, identities]),
    'id_mean.npy': npy(mean, [identities]),
    'id_var.npy': npy(variances, [identities]),
    'fv_indices.npy': npy(
      triangles.map((vertex) => vertex + 1),
      [rows, 3],
    ),
    'lm_list_v16.npy': npy(landmarks, [68]),
  }

  it('value: becomes linear about the mean person', async () => {
    const read = await readMorphableModel(zipSync(arrays), { template: model })
    validateModel(read)
    expect(read.layout).toMatchObject({ identity: identities, expression: layout.expression })
    expect(read.triangles).toEqual(triangles)
    expect(worst(read.shape.identity.data.subarray(size), shape.identity.data)).toBeLessThan(1e-3)
    expect(worst(read.shape.expression.data, shape.expression.data)).toBeLessThan(1e-3)
  })

  it('throws: older files without statistics of the identities, another number of factors', async () => {
    const { 'id_var.npy': _, ...older } = arrays
    await expect(readArrayModel(zipSync(older))).rejects.toThrow(/id_var is missing, expected \[/)
    const odd = { ...arrays, 'id_mean.npy': npy(new Float32Array(2), [2]) }
    await expect(readArrayModel(zipSync(odd))).rejects.toThrow(/id_mean is \[2\], expected \[/)
  })
})

describe('readMeshFolder', () => {
  const random = createRandom(5)
  /** A binary PLY as CoMA's: float positions, triangles as lists. */
  function ply(positions: ArrayLike<number>): Uint8Array {
    const text = `ply\nformat binary_little_endian 1.0\nelement vertex ${vertexCount}\nproperty float x\nproperty float y\nproperty float z\nelement face ${rows}\nproperty list uchar int vertex_indices\nend_header\n`
    const head = new TextEncoder().encode(text)
    const bytes = new Uint8Array(head.length + 12 * vertexCount + 13 * rows)
    bytes.set(head)
    const view = new DataView(bytes.buffer)
    let at = head.length
    for (let i = 0; i < size; i++, at += 4) view.setFloat32(at, positions[i], true)
    for (let t = 0; t < rows; t++, at += 13) {
      bytes[at] = 3
      for (let k = 0; k < 3; k++) view.setInt32(at + 1 + 4 * k, triangles[3 * t + k], true)
    }
    return bytes
  }
  const centre = [0, 1].map((c) => {
    let sum = 0
    for (let i = c; i < size; i += 3) sum += (3 * shape.mean.data[i]) / size
    return sum
  })
  /** People differ in width and expressions in height, which no turn or shift explains. */
  const wider = shape.mean.data.map((value, i) => (i % 3 === 0 ? 0.06 * (value - centre[0]) : 0))
  const longer = shape.mean.data.map((value, i) => (i % 3 === 1 ? 0.04 * (value - centre[1]) : 0))
  /** Somebody with an expression, in metres, moved and turned a little. */
  function somebody(identity: number, expression: number): Float32Array {
    const [c, s] = [Math.cos(0.1 * expression), Math.sin(0.1 * expression)]
    const positions = shape.mean.data.map((value, i) => value + identity * wider[i] + expression * longer[i])
    const moved = new Float32Array(size)
    for (let i = 0; i < size; i += 3) {
      const [x, y, z] = positions.subarray(i, i + 3)
      moved.set([(c * x + s * z + 3) / 1000, (y + expression) / 1000, (c * z - s * x) / 1000], i)
    }
    return moved
  }

  it('value: persons with sequences, the first mesh of each neutral: identity and expression apart', async () => {
    const coma = join(folder, 'coma')
    for (const [p, identity] of [-1.2, -0.4, 0.5, 1.1].entries())
      for (const sequence of ['bareteeth', 'mouth_open']) {
        const path = join(coma, `person${p}`, sequence)
        await mkdir(path, { recursive: true })
        for (const frame of [1, 2, 10])
          await writeFile(
            join(path, `${sequence}.${frame}.ply`),
            ply(somebody(identity, frame === 1 ? 0 : random.uniform(0.5, 1))),
          )
      }
    expect(await detectModelFormat(coma)).toBe('meshes')
    const seen: number[] = []
    const read = await readMorphableModel(coma, { ...options, onProgress: (done) => seen.push(done) })
    validateModel(read)
    expect(seen.at(-1)).toBe(24)
    expect(read.name).toBe('coma')
    const cosine = (a: Float32Array, b: Float32Array) =>
      Math.abs(a.reduce((sum, value, i) => sum + value * b[i], 0)) / Math.hypot(...a) / Math.hypot(...b)
    expect(cosine(mode(read.shape.identity.data, 0), wider)).toBeGreaterThan(0.99)
    expect(cosine(mode(read.shape.expression.data, 0), longer)).toBeGreaterThan(0.99)
    // Standard deviation of -1.2, -0.4, 0.5, 1.1; what is left of turns is little.
    const length = (k: number) => Math.hypot(...mode(read.shape.identity.data, k), 0)
    expect(length(0) / Math.hypot(...wider)).toBeCloseTo(1.02, 1)
    expect(length(1)).toBeLessThan(0.1 * length(0))
  })

  it('value: meshes of the folder itself are one person each', async () => {
    const people = join(folder, 'people')
    await mkdir(people)
    for (const [p, identity] of [-1, 0, 1].entries())
      await writeFile(join(people, `${p}.ply`), ply(somebody(identity, 0)))
    const read = await readMeshFolder(people, { ...options, identityModes: 1 })
    expect(read.layout).toMatchObject({ identity: 1, expression: 0 })
  })

  it('throws: one mesh, meshes of two topologies, a mesh without polygons', async () => {
    const odd = join(folder, 'odd')
    await mkdir(odd)
    await expect(readMeshFolder(odd)).rejects.toThrow(/holds 0 meshes/)
    await writeFile(join(odd, 'a.ply'), ply(somebody(0, 0)))
    await expect(readMeshFolder(odd)).rejects.toThrow(/holds 1 meshes \(.ply, .obj\), expected two or more/)
    await writeFile(join(odd, 'b.obj'), 'v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n')
    await expect(readMeshFolder(odd)).rejects.toThrow(/b.obj has 3 vertices and 1 triangles, expected the/)
    await writeFile(join(odd, 'b.obj'), 'v 0 0 0\n')
    await expect(readMeshFolder(odd)).rejects.toThrow(/has no polygons/)
    await expect(readMeshFolder(odd, { meshesOfPerson: 0 })).rejects.toThrow(ValueError)
  })
})
