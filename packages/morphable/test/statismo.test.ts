import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ModelFormatError } from '@facekit/core'
import { describeHdf5, detectModelFormat, readAlbedoModel, readStatismoModel } from '@facekit/morphable'
import { writeStatismo, type StatismoInput } from '@facekit/testing'
import { describe, expect, it } from 'vitest'

const data = fileURLToPath(new URL('../../../../shared/data/statismo', import.meta.url))
const missing = !existsSync(data)
/** random-momo.h5 of scalismo-faces (Apache-2.0), and what it evaluates to. */
const here = fileURLToPath(new URL('data', import.meta.url))

interface Expected {
  files: Record<
    string,
    Record<
      string,
      {
        n: number
        components: number
        mean_sum: number
        evaluations: { coefficients: number[]; first9: number[]; sum: number; l2: number }[]
      }
    >
  >
}

/** A box with random modes. */
export function box(options: Partial<StatismoInput> = {}): StatismoInput {
  const points = Float32Array.from({ length: 24 }, (_, i) => ((Math.floor(i / 3) >> (i % 3)) & 1) * 10)
  const triangles = Int32Array.of(0, 1, 2, 1, 3, 2, 4, 6, 5, 5, 6, 7)
  const part = (modes: number, seed: number) => ({
    mean: points.map((value, i) => value + Math.sin(i * seed)),
    basis: Float32Array.from({ length: 24 * modes }, (_, i) => Math.cos(i * 1.7 + seed) * (1 + (i % 5))),
    modes,
  })
  return { points, triangles, parts: { '/shape': part(4, 1), '/expression': part(3, 2) }, ...options }
}

/** Evaluations of real files against numbers computed by hand in float64. */
async function expectEvaluations(folder: string, list: string): Promise<void> {
  const expected = JSON.parse(readFileSync(`${folder}/${list}`, 'utf8')) as Expected
  for (const [file, parts] of Object.entries(expected.files)) {
    const model = await readStatismoModel(`${folder}/${file}`)
    for (const [name, part] of Object.entries(parts)) {
      const { mean, basis } = model[name as 'shape' | 'color' | 'expression']!
      expect(mean.size).toBe(part.n)
      expect(basis.shape).toEqual([part.components, part.n / 3, 3])
      expect(mean.data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(part.mean_sum, 2)
      for (const { coefficients, first9, sum, l2 } of part.evaluations) {
        const x = Float64Array.from(mean.data)
        coefficients.forEach((c, k) => x.forEach((_, i) => (x[i] += c * basis.data[k * part.n + i])))
        const scale = l2 / Math.sqrt(part.n)
        first9.forEach((value, i) => expect(Math.abs(x[i] - value) / scale).toBeLessThan(1e-5))
        expect(Math.abs(Math.hypot(...x) / l2 - 1)).toBeLessThan(1e-5)
        expect(Math.abs(x.reduce((a, b) => a + b, 0) - sum) / (scale * part.n)).toBeLessThan(1e-5)
      }
    }
  }
}

describe('readStatismoModel', () => {
  it('value: a real file gives the hand-computed numbers', () => expectEvaluations(here, 'random-momo.json'))

  it.skipIf(missing)('value: so do larger ones', () => expectEvaluations(data, 'expected.json'))

  it.skipIf(missing)('value: meshes and named points of real files', async () => {
    const l4 = await readStatismoModel(`${data}/random-l4.h5`)
    expect([l4.points.length / 3, l4.triangles.length / 3]).toEqual([1529, 3044])
    expect(l4.lengthUnit).toBeCloseTo(0.001, 9)
    expect(l4.expression).toBeUndefined()
    expect(l4.namedPoints.find(({ name }) => name === 'center.nose.tip')!.position[2]).toBeCloseTo(131.82, 2)
  })

  it('value: mesh, named points and tree of a real file', async () => {
    const bytes = readFileSync(`${here}/random-momo.h5`)
    const momo = await readStatismoModel(bytes)
    expect(momo.namedPoints).toHaveLength(5)
    expect(momo.triangles).toHaveLength(96)
    const nodes = await describeHdf5(bytes)
    expect(nodes.find(({ path }) => path === '/shape/model/mean')).toMatchObject({
      shape: [momo.points.length],
    })
  })

  it('value: what was written is read, compressed or not, with either representer', async () => {
    const input = box()
    const plain = await readStatismoModel(await writeStatismo(input))
    for (const options of [{ compress: true }, { legacy: true }, { minorVersion: 8 as const }]) {
      const model = await readStatismoModel(await writeStatismo(box(options)))
      expect(model.triangles).toEqual(input.triangles)
      expect(model.points).toEqual(input.points)
      expect(model.shape.mean.data).toEqual(input.parts['/shape'].mean)
      for (const name of ['shape', 'expression'] as const) {
        const { basis } = model[name]!
        const written = input.parts[`/${name}`].basis
        expect(basis.data.every((value, i) => Math.abs(value - written[i]) < 1e-5)).toBe(true)
        expect(basis.data.every((value, i) => Math.abs(value - plain[name]!.basis.data[i]) < 1e-5)).toBe(true)
      }
    }
  })

  it('value: an albedo model gives two parts with the same modes', async () => {
    const { parts } = box()
    const albedo = { '/diffuseAlbedo': parts['/shape'], '/specularAlbedo': parts['/shape'] }
    const bytes = await writeStatismo(box({ parts: albedo }))
    const read = await readAlbedoModel(bytes, { modes: 2 })
    expect(read.vertexCount).toBe(8)
    expect(read.albedo.diffuse.shape).toEqual([2, 8, 3])
    expect(read.albedo.specular.data[5]).toBeCloseTo(parts['/shape'].basis[5], 5)
    expect(await detectModelFormat(bytes)).toBe('albedo')
    const uneven = { '/diffuseAlbedo': parts['/shape'], '/specularAlbedo': parts['/expression'] }
    await expect(readAlbedoModel(await writeStatismo(box({ parts: uneven })))).rejects.toThrow(
      /specularAlbedo\/model\/pcaBasis has 3 modes, expected 4/,
    )
  })

  it('throws: errors name what was expected and what was found', async () => {
    const without = box()
    delete without.parts['/shape']
    const short = box()
    short.parts['/expression'].mean = short.parts['/expression'].mean.slice(0, 21)
    short.parts['/expression'].basis = short.parts['/expression'].basis.slice(0, 63)
    const infinite = box()
    infinite.parts['/shape'].mean[3] = Number.NaN
    const foreign = box({ triangles: Int32Array.of(0, 1, 8) })
    const good = await writeStatismo(box())
    const cases: [Uint8Array, RegExp][] = [
      [
        await writeStatismo(without),
        /dataset \/shape\/model\/mean is missing \(there is no group \/shape\/model\), expected the mean/,
      ],
      [await writeStatismo(short), /\/expression\/model\/mean has 21 numbers, expected 24/],
      [await writeStatismo(infinite), /\/shape\/model\/mean holds NaN/],
      [await writeStatismo(foreign), /cells names vertex 8, the mesh has 8/],
      [good.subarray(0, good.length / 2), /cannot be read as HDF5 .*truncated/],
      [new Uint8Array(100), /is no HDF5 file \(100 bytes/],
      [new TextEncoder().encode('{"a": 1}'), /is no HDF5 file/],
    ]
    for (const [bytes, message] of cases) {
      const error = await readStatismoModel(bytes).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ModelFormatError)
      expect((error as Error).message).toMatch(message)
      expect((error as Error).message).not.toContain('\n')
    }
    await expect(readStatismoModel('/nowhere/model.h5')).rejects.toThrow(/no such file/)
    await expect(readStatismoModel('/')).rejects.toThrow(/is not a file/)
  })
})

describe('describeHdf5', () => {
  it('value: the tree of a file', async () => {
    const nodes = await describeHdf5(await writeStatismo(box({ lengthUnit: 0.001 })))
    const find = (path: string) => nodes.find((node) => node.path === path)
    expect(find('/shape')).toMatchObject({ kind: 'group' })
    expect(find('/shape/model/pcaBasis')).toMatchObject({ kind: 'dataset', shape: [24, 4], type: 'float32' })
    expect(find('/shape/version/minorVersion')).toMatchObject({ value: 9, type: 'int32' })
    expect(find('/shape/representer')!.attributes).toMatchObject({ datasetType: 'POLYGON_MESH' })
  })

  it.skipIf(missing)('value: the tree of real files', async () => {
    const nodes = await describeHdf5(`${data}/random-l4.h5`)
    expect(
      nodes.find(({ path }) => path.startsWith('/shape') && path.endsWith('/NoiseVariance ')),
    ).toMatchObject({ value: '0.01234' })
    expect(nodes.length).toBeGreaterThan(80)
  })
})
