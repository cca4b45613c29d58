import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelFormatError } from '@facekit/core'
import { detectModelFormat, readBasel2009, readMorphableModel, validateModel } from '@facekit/morphable'
import { encodeMatFile, type MatVariable } from '@facekit/testing'
import { File, ready } from 'h5wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { face } from './face-files.js'

const model = face()
const { vertexCount, layout, shape, albedo, triangles } = model
const size = vertexCount * 3
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-basel-2009-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Modes as columns of length 1 and their deviations, under the names of the file. */
function basis(prefix: string, modes: Float32Array, count: number, factor: number): MatVariable[] {
  const deviations = Array.from({ length: count }, (_, k) =>
    Math.hypot(...modes.subarray(k * size, (k + 1) * size)),
  )
  return [
    {
      name: `${prefix}PC`,
      shape: [size, count],
      values: modes.map((value, i) => value / deviations[Math.floor(i / size)]),
      single: true,
    },
    { name: `${prefix}EV`, shape: [count, 1], values: deviations.map((value) => value * factor) },
  ]
}

/** The tiny face as `01_MorphableModel.mat`: micrometres, colours in 0..255 with gamma, triangles from 1 and inside out. */
function variables(): MatVariable[] {
  const count = triangles.length / 3
  return [
    { name: 'shapeMU', shape: [size, 1], values: shape.mean.data.map((value) => value * 1000), single: true },
    ...basis('shape', shape.identity.data, layout.identity, 1000),
    {
      name: 'texMU',
      shape: [size, 1],
      values: albedo.diffuseMean.data.map((value) => 255 * value ** (1 / 2.2)),
    },
    ...basis('tex', albedo.diffuse.data, layout.albedo, 255),
    {
      name: 'tl',
      shape: [count, 3],
      values: Float64Array.from({ length: triangles.length }, (_, i) => {
        const [row, corner] = [i % count, Math.floor(i / count)]
        return triangles[row * 3 + [0, 2, 1][corner]] + 1
      }),
    },
    { name: 'segbin', shape: [1, 2], values: [1, 2] },
  ]
}

const options = { landmarks: model.landmarks, crop: 'none' } as const

function worst(found: Float32Array, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length)
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0)
}

describe('readBasel2009', () => {
  it.each([true, false])(
    'value: units, colours and triangles of a MATLAB 5 file, compressed %s',
    async (compressed) => {
      const bytes = encodeMatFile(variables(), { compressed })
      expect(await detectModelFormat(bytes)).toBe('basel-2009')
      const read = await readBasel2009(bytes, options)
      validateModel(read)
      expect(read.layout).toEqual({ identity: layout.identity, expression: 0, albedo: layout.albedo })
      expect(read.triangles).toEqual(triangles)
      // Moved as a whole to model space, hence differences.
      const edge = (data: Float32Array) =>
        Float32Array.from({ length: size - 3 }, (_, i) => data[i + 3] - data[i])
      expect(worst(edge(read.shape.mean.data), edge(shape.mean.data))).toBeLessThan(1e-4)
      expect(worst(read.shape.identity.data, shape.identity.data)).toBeLessThan(1e-4)
      expect(worst(read.albedo.diffuseMean.data, albedo.diffuseMean.data)).toBeLessThan(1e-5)
      // Slope of the gamma at the mean.
      const at = albedo.diffuseMean.data[0] ** (1 / 2.2)
      expect(read.albedo.diffuse.data[0]).toBeCloseTo(2.2 * at ** 1.2 * albedo.diffuse.data[0], 5)
    },
  )

  it('value: modes are cut, and readMorphableModel tells the format', async () => {
    const path = join(folder, '01_MorphableModel.mat')
    await writeFile(path, encodeMatFile(variables()))
    const read = await readMorphableModel(path, { ...options, identityModes: 2, albedoModes: 1 })
    expect(read.layout).toEqual({ identity: 2, expression: 0, albedo: 1 })
    expect(read.name).toBe('basel-2009')
  })

  it('value: expressions that were added to the file', async () => {
    const offset = shape.mean.data.map((_, i) => (i % 3 === 1 ? 100 * Math.sin(i) : 0))
    const added = [
      ...variables(),
      ...basis('exp', shape.expression.data, layout.expression, 1000).map((variable) => ({
        ...variable,
        name: { expPC: 'w_exp', expEV: 'sigma_exp' }[variable.name]!,
      })),
      { name: 'mu_exp', shape: [size, 1] as const, values: offset },
    ]
    const read = await readBasel2009(encodeMatFile(added), options)
    expect(worst(read.shape.expression.data, shape.expression.data)).toBeLessThan(1e-4)
    const plain = await readBasel2009(encodeMatFile(variables()), options)
    const moved = read.shape.mean.get(9, 1) - read.shape.mean.get(4, 1)
    const rest = plain.shape.mean.get(9, 1) - plain.shape.mean.get(4, 1)
    expect(moved - rest).toBeCloseTo((offset[28] - offset[13]) / 1000, 4)
    const without = added.filter(({ name }) => name !== 'sigma_exp')
    await expect(readBasel2009(encodeMatFile(without), options)).rejects.toThrow(
      /variable "expEV" is missing/,
    )
  })

  it('value: Exp_Pca.bin, on part of the vertices', async () => {
    const kept = Int32Array.from({ length: vertexCount - 1 }, (_, i) => i + 1)
    const moved = kept.length * 3
    const [modes, deviations] = basis('exp', shape.expression.data, layout.expression, 1000)
    const numbers = new Float32Array(moved * (layout.expression + 1))
    for (let k = 0; k < layout.expression; k++) {
      const mode = Float32Array.from(modes.values).subarray(k * size, (k + 1) * size)
      numbers.set(mode.subarray(3), (k + 1) * moved)
    }
    const file = new Uint8Array(4 + numbers.byteLength)
    new DataView(file.buffer).setInt32(0, layout.expression, true)
    file.set(new Uint8Array(numbers.buffer), 4)
    const text = new TextEncoder().encode(Array.from(deviations.values).join('\n'))
    const indices = encodeMatFile([
      { name: 'trimIndex', shape: [kept.length, 1], values: kept.map((vertex) => vertex + 1) },
    ])
    const bytes = encodeMatFile(variables())
    const read = await readBasel2009(bytes, {
      ...options,
      expressions: { modes: file, deviations: text, vertices: indices },
      expressionModes: 1,
    })
    const expression = shape.expression.data.subarray(3, size)
    expect(worst(read.shape.expression.data.subarray(3), expression)).toBeLessThan(1e-4)
    // The vertex that is not in the list goes with its neighbour.
    expect([1, 51]).toContain(
      [1, 51].find((v) => read.shape.expression.get(0, 0, 1) === read.shape.expression.get(0, v, 1)),
    )
    const whole = { modes: file, deviations: text }
    await expect(readBasel2009(bytes, { ...options, expressions: whole })).rejects.toThrow(/BFM_exp_idx.mat/)
    const cut = { modes: file.subarray(0, 99), deviations: text }
    await expect(readBasel2009(bytes, { ...options, expressions: cut })).rejects.toThrow(
      /Exp_Pca.bin has 99 bytes/,
    )
  })

  it('value: the same variables in a MATLAB 7.3 file', async () => {
    const { FS } = await ready
    const file = new File('matlab.h5', 'w')
    for (const { name, shape: dimensions, values } of variables()) {
      file.create_dataset({ name, data: Float64Array.from(values), shape: dimensions.toReversed() })
    }
    file.flush()
    file.close()
    const bytes = FS!.readFile('matlab.h5') as Uint8Array
    expect(await detectModelFormat(bytes)).toBe('basel-2009')
    const read = await readMorphableModel(bytes, options)
    const same = await readBasel2009(encodeMatFile(variables()), options)
    expect(read.triangles).toEqual(same.triangles)
    expect(worst(read.shape.identity.data, same.shape.identity.data)).toBeLessThan(1e-5)
    expect(worst(read.albedo.diffuseMean.data, same.albedo.diffuseMean.data)).toBeLessThan(1e-6)
  })

  it('throws: what is missing or does not fit', async () => {
    const change = (name: string, part: Partial<MatVariable> | undefined) =>
      encodeMatFile(
        variables().flatMap((variable) =>
          variable.name !== name ? [variable] : part ? [{ ...variable, ...part }] : [],
        ),
      )
    const cases: [Uint8Array, RegExp][] = [
      [change('shapePC', undefined), /variable "shapePC" is missing \(found shapeMU, shapeEV, .*tl\)/],
      [
        change('tl', { values: new Float64Array(triangles.length) }),
        /tl names vertex 0, expected .* from 1 to/,
      ],
      [change('tl', { shape: [triangles.length, 1] }), /tl is \[\d+, 1\], expected \[F, 3\]/],
      [change('shapeMU', { shape: [3, 1], values: [1, 2, 3] }), /shapePC is \[\d+, \d+\], expected \[3, K\]/],
      [change('shapeEV', { shape: [1, 1], values: [1] }), /modes and 1 deviations/],
      [change('texMU', { values: new Float32Array(size).fill(Number.NaN) }), /texMU holds NaN/],
      [encodeMatFile(variables()).subarray(0, 5000), /it is damaged/],
    ]
    for (const [bytes, message] of cases) {
      const error = await readBasel2009(bytes, options).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ModelFormatError)
      expect((error as Error).message).toMatch(message)
    }
  })
})
