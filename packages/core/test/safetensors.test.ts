import { ModelFormatError, readSafetensors, writeSafetensors, type SafetensorsData } from '@facekit/core'
import { describe, expect, it } from 'vitest'

/** A file with any header and any data. */
function raw(header: string, data: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

function expectRefused(bytes: Uint8Array, message = ''): void {
  let error: unknown
  try {
    readSafetensors(bytes, 'load: face.safetensors')
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(ModelFormatError)
  expect((error as Error).message).toMatch(/^load: face.safetensors: [^\n]*$/)
  expect((error as Error).message).toContain(message)
}

const entry = (change: object) =>
  JSON.stringify({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } })

describe('safetensors', () => {
  const arrays: SafetensorsData[] = [
    Float64Array.of(1.5, -Math.PI),
    Float32Array.of(0.25, -3e30),
    Int32Array.of(-(2 ** 31), 5),
    Uint32Array.of(2 ** 32 - 1, 5),
    Int16Array.of(-32768, 5),
    Uint16Array.of(65535, 5),
    Int8Array.of(-128, 5),
    Uint8Array.of(255, 5),
  ]

  it('value: every type comes back, with metadata and shapes', () => {
    const tensors = new Map(arrays.map((data, i) => [`t${i}`, { shape: [2, 1], data }]))
    const file = readSafetensors(writeSafetensors({ metadata: { name: 'ä "quoted"' }, tensors }))
    expect(file.metadata).toEqual({ name: 'ä "quoted"' })
    arrays.forEach((data, i) => {
      expect(file.tensors.get(`t${i}`)!.data).toEqual(data)
      expect(file.tensors.get(`t${i}`)!.shape).toEqual([2, 1])
    })
  })

  it('value: half precision is widened', () => {
    const data = Float32Array.of(1, 0.1, -65504, 1e-7)
    const bytes = writeSafetensors({
      metadata: {},
      tensors: new Map([['x', { shape: [4], data, type: 'F16' }]]),
    })
    const read = readSafetensors(bytes).tensors.get('x')!
    expect(read.type).toBe('F16')
    expect(read.data).toBeInstanceOf(Float32Array)
    expect(read.data[0]).toBe(1)
    expect(read.data[1]).toBeCloseTo(0.1, 4)
    expect(read.data[2]).toBe(-65504)
  })

  it('value: empty tensors, scalars, no tensors', () => {
    const tensors = new Map([
      ['none', { shape: [0, 3], data: new Float32Array(0) }],
      ['one', { shape: [], data: Float32Array.of(4) }],
    ])
    const file = readSafetensors(writeSafetensors({ metadata: {}, tensors }))
    expect(file.tensors.get('none')!.data.length).toBe(0)
    expect([...file.tensors.get('one')!.data]).toEqual([4])
    expect(readSafetensors(writeSafetensors({ metadata: {}, tensors: new Map() })).tensors.size).toBe(0)
  })

  it('value: bytes that lie anywhere in a larger buffer', () => {
    const bytes = writeSafetensors({
      metadata: {},
      tensors: new Map([['x', { shape: [2], data: Float64Array.of(1, 2) }]]),
    })
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect([...readSafetensors(shifted.subarray(3)).tensors.get('x')!.data]).toEqual([1, 2])
    expect([...readSafetensors(Buffer.from(bytes)).tensors.get('x')!.data]).toEqual([1, 2])
  })

  it('value: the layout is that of the format: length, JSON, data at multiples of 8', () => {
    const bytes = writeSafetensors({
      metadata: {},
      tensors: new Map([['x', { shape: [1], data: Uint8Array.of(9) }]]),
    })
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
    expect(header.x).toEqual({ dtype: 'U8', shape: [1], data_offsets: [0, 1] })
    expect(bytes.at(-1)).toBe(9)
  })

  it('throws: a file cut anywhere', () => {
    const bytes = writeSafetensors({
      metadata: { a: 'b' },
      tensors: new Map([['x', { shape: [3], data: Float32Array.of(1, 2, 3) }]]),
    })
    for (let length = 0; length < bytes.length; length++) expectRefused(bytes.subarray(0, length))
  })

  it('throws: headers that are none', () => {
    expectRefused(raw('{"x": '), 'no JSON object')
    expectRefused(raw('[]'), 'no JSON object')
    expectRefused(raw('null'), 'no JSON object')
    expectRefused(raw('{}', undefined, 2n ** 63n), 'does not fit')
    expectRefused(raw('{}', undefined, 3n), 'does not fit')
    const broken = raw('{"aa":1}')
    broken[9] = 0xff
    expectRefused(broken, 'no JSON object')
    expectRefused(new TextEncoder().encode('<!doctype html><title>404</title>'))
  })

  it('throws: descriptions that are damaged, of absurd size, or point elsewhere', () => {
    const data = new Uint8Array(8)
    expect(readSafetensors(raw(entry({}), data)).tensors.size).toBe(1)
    const wrong = [
      { dtype: 'BF17' },
      { dtype: 'constructor' },
      { shape: [-2] },
      { shape: [2.5] },
      { shape: '2' },
      { shape: [1e15, 1e15] },
      { shape: [2 ** 31, 2 ** 31] },
      { shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] },
      { shape: [3] },
      { data_offsets: [0] },
      { data_offsets: [8, 0] },
      { data_offsets: [0, 12] },
      { data_offsets: [4, 12] },
      { data_offsets: [-8, 0] },
      { data_offsets: null },
    ]
    for (const change of wrong) expectRefused(raw(entry(change), data), 'tensor "x"')
    expectRefused(raw('{"x": 5}', data), 'tensor "x"')
    expectRefused(raw('{"x": null}', data), 'tensor "x"')
  })

  it('throws: a shape that does not fit its data is not written', () => {
    const tensors = new Map([['x', { shape: [2, 2], data: new Float32Array(3) }]])
    expect(() => writeSafetensors({ metadata: {}, tensors })).toThrow('x has shape [2, 2] but 3 numbers')
    const text = new Map([['x', { shape: [1], data: ['a'] as unknown as Uint8Array }]])
    expect(() => writeSafetensors({ metadata: {}, tensors: text })).toThrow('use a typed array')
  })
})
