import { readFile } from 'node:fs/promises'
import { ModelFormatError } from '@facekit/core'
import { detectModelFormat, poseJoints, readArrayModel, readJointModel } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'
import { face } from './face-files.js'
import { pickleArrays } from './pickle.js'

const model = face()
const { vertexCount, triangles, landmarks, shape, layout } = model
const metres = (values: Float32Array) => Float64Array.from(values, (value) => value / 1000)
const arrays = {
  v_template: { shape: [vertexCount, 3], data: metres(shape.mean.data) },
  identity: { shape: [layout.identity, vertexCount, 3], data: metres(shape.identity.data) },
  f: { shape: [triangles.length / 3, 3], data: triangles },
  landmarks: { shape: [68], data: landmarks },
}

describe('pickles', () => {
  it.each([2, 4, 5])(
    'value: what Python and scipy wrote by protocol %s is read as it was',
    async (protocol) => {
      // As test/data/make-pickles.py says.
      const file = new URL(`data/flame-protocol-${protocol}.pkl`, import.meta.url)
      const read = await readJointModel(await readFile(file), { splitAt: 2 })
      expect(read.layout).toEqual({ identity: 2, expression: 1 })
      const rest = poseJoints(read, { identity: [0, 1], expression: [2] })
      const template = [0, 0, 0, 0, 0.1, 0, 0, 0.2, 0.05, 0.02, 0.1, 0.1, -0.03, 0.25, 0.08, 0, 0.3, 0]
      const entry = (i: number, k: number) => Math.sin(1 + 3 * i + k) / 300
      for (let i = 0; i < 18; i++)
        expect(rest.vertices[i]).toBeCloseTo(1000 * (template[i] + entry(i, 1) + 2 * entry(i, 2)), 3)
      // The sparse matrix puts each joint on its vertex.
      expect([...rest.joints]).toEqual([...rest.vertices.subarray(0, 15)])
    },
  )

  it('value: a face model, told by its content, the same as from .npz arrays', async () => {
    const bytes = pickleArrays(arrays, { bs_style: 'U\x03lbs', kintree_table: 'N' })
    expect(await detectModelFormat(bytes)).toBe('arrays')
    const read = await readArrayModel(bytes, { template: model })
    expect(read.layout).toEqual({ ...layout, expression: 0 })
    expect(read.triangles).toEqual(triangles)
    const off = read.shape.identity.data.map((value, i) => Math.abs(value - shape.identity.data[i]))
    expect(Math.max(...off)).toBeLessThan(1e-3)
  })

  it('throws: a call is named and not made, and one line says how to convert the file', async () => {
    const bytes = pickleArrays({ f: arrays.f }, { v_template: 'cos\nsystem\n(U\x04exittR' })
    const error = await readArrayModel(bytes).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ModelFormatError)
    const { message } = error as Error
    expect(message).toMatch(/v_template is made by os.system, which is not read as data/)
    expect(message).toMatch(/: python3 -c "import pickle, numpy; [^\n]*"$/)
  })

  it('throws: truncated anywhere, odd operations, numbers that do not fit', async () => {
    const whole = pickleArrays(arrays)
    for (let length = 2; length < whole.length; length += Math.ceil(whole.length / 300))
      await expect(readArrayModel(whole.subarray(0, length))).rejects.toThrow(ModelFormatError)
    const start = (operations: string) => new Uint8Array(Buffer.from(`\x80\x02${operations}`, 'latin1'))
    for (const [operations, message] of [
      ['Pid\n.', /operation 0x50/],
      [').', /no dictionary/],
      ['t.', /takes what is not there/],
      ['}h\x05.', /takes what is not there/],
      ['}T\xff\xff\xff\xff.', /truncated/],
      ['}.', /no array "mean" or/],
    ] as const)
      await expect(readArrayModel(start(operations))).rejects.toThrow(message)
    const few = pickleArrays({ ...arrays, v_template: { shape: [9, 9], data: new Float64Array(3) } })
    await expect(readArrayModel(few)).rejects.toThrow(
      /v_template \[9, 9\] numbers of 8 bytes do not fit into 24/,
    )
  })
})
