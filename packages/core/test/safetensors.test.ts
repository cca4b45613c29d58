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

  it('value: 64-bit integers, brain floats and booleans, as torch writes them', () => {
    const bytes = new Uint8Array(40)
    const view = new DataView(bytes.buffer)
    view.setBigInt64(0, -5n, true)
    view.setBigInt64(8, 2n ** 53n - 1n, true)
    view.setBigUint64(16, 9n, true)
    // 1, -2, 3.140625 and infinity: the upper halves of their float32.
    ;[0x3f80, 0xc000, 0x4049, 0x7f80].forEach((bits, i) => view.setUint16(24 + i * 2, bits, true))
    bytes.set([0, 1, 1, 0], 32)
    const header = {
      i: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
      u: { dtype: 'U64', shape: [1], data_offsets: [16, 24] },
      b: { dtype: 'BF16', shape: [2, 2], data_offsets: [24, 32] },
      t: { dtype: 'BOOL', shape: [4], data_offsets: [32, 36] },
    }
    const { tensors } = readSafetensors(raw(JSON.stringify(header), bytes))
    expect(tensors.get('i')!.data).toEqual(Float64Array.of(-5, 2 ** 53 - 1))
    expect(tensors.get('u')!.data).toEqual(Float64Array.of(9))
    expect(tensors.get('b')!.data).toEqual(Float32Array.of(1, -2, 3.140625, Infinity))
    expect(tensors.get('t')!.data).toEqual(Uint8Array.of(0, 1, 1, 0))
    const again = readSafetensors(writeSafetensors({ metadata: {}, tensors })).tensors
    for (const [name, entry] of tensors) expect(again.get(name)).toEqual(entry)
  })

  it('value: brain floats are rounded to the nearest', () => {
    const data = Float32Array.of(1 + 1 / 256, 1 + 3 / 256, 0.1, NaN)
    const tensors = new Map([['x', { shape: [4], data, type: 'BF16' as const }]])
    const read = readSafetensors(writeSafetensors({ metadata: {}, tensors })).tensors.get('x')!
    expect([...read.data]).toEqual([1, 1 + 4 / 256, 0.10009765625, NaN])
  })

  it('throws: tensors of types that are not known, and of numbers that are too large, when they are used', () => {
    const data = new Uint8Array(18).fill(0x7f)
    const header = {
      new: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] },
      four: { dtype: 'F4', shape: [8], data_offsets: [4, 8] },
      large: { dtype: 'I64', shape: [1], data_offsets: [8, 16] },
      used: { dtype: 'U8', shape: [2], data_offsets: [16, 18] },
    }
    const { tensors } = readSafetensors(raw(JSON.stringify(header), data), 'load: face.safetensors')
    expect([...tensors.get('used')!.data]).toEqual([127, 127])
    expect(() => tensors.get('new')!.data).toThrow(
      `load: face.safetensors: tensor "new" is of type F8_E4M3, which facekit can't read; store it as F32, F16 or I32`,
    )
    expect(() => tensors.get('four')!.data).toThrow(ModelFormatError)
    expect(() => tensors.get('large')!.data).toThrow('whole numbers beyond 2^53')
    const fraction = new Map([['x', { shape: [1], data: Float64Array.of(0.5), type: 'I64' as const }]])
    expect(() => writeSafetensors({ metadata: {}, tensors: fraction })).toThrow('x holds 0.5')
  })

  it('throws: tensors that share bytes, before any is read', () => {
    const data = new Uint8Array(2 ** 20)
    const entry = { dtype: 'F16', shape: [2 ** 19], data_offsets: [0, 2 ** 20] }
    const header = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`t${i}`, entry]))
    const before = process.memoryUsage().arrayBuffers
    expect(() => readSafetensors(raw(JSON.stringify(header), data), 'load')).toThrow(
      'load: tensors "t0" and "t1" share bytes; the file is damaged',
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20)
  })

  it('value: odd metadata and names harm nothing', () => {
    const header =
      '{"__metadata__":{"a":{"toString":1},"__proto__":{"b":1},"c":"text"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    const { metadata, tensors } = readSafetensors(raw(header, Uint8Array.of(7)))
    expect(Object.keys(metadata)).toEqual(['a', '__proto__', 'c'])
    expect(metadata.c).toBe('text')
    expect([...tensors.get('__proto__')!.data]).toEqual([7])
    expect(({} as { b?: unknown }).b).toBeUndefined()
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

  it('throws: a web page in place of the file', () => {
    for (const page of ['<!doctype html><html></html>', '\n  <!DOCTYPE html>', '<html lang="en">'])
      expect(() => readSafetensors(new TextEncoder().encode(page), 'load: face')).toThrow(
        'load: face: expected a .safetensors file, got an HTML page',
      )
  })

  it('throws: descriptions that are damaged, of absurd size, or point elsewhere', () => {
    const data = new Uint8Array(8)
    expect(readSafetensors(raw(entry({}), data)).tensors.size).toBe(1)
    const wrong = [
      { dtype: 'F32; DROP' },
      { dtype: 5 },
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
