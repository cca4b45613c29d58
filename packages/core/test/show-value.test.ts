import { showValue } from '@facekit/core'
import { describe, expect, it } from 'vitest'

describe('showValue', () => {
  it('value: plain values as JSON', () => {
    expect(showValue({ a: [1, 'x', null, true] })).toBe('{"a":[1,"x",null,true]}')
    expect(showValue(undefined)).toBe('undefined')
    expect(showValue(NaN)).toBe('NaN')
    expect(showValue(5n)).toBe('5')
    expect(showValue(Float32Array.of(1, 2))).toBe('Float32Array')
  })

  it('value: long, wide and deep values are shortened', () => {
    expect(showValue('x'.repeat(1e6))).toHaveLength(83)
    expect(showValue(Array.from({ length: 1e6 }, (_, i) => i))).toBe('[0,1,2,3,4,5,6,7,...]')
    let deep: unknown = []
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(showValue(deep)).toBe('[[[[...]]]]')
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    expect(showValue(cyclic)).toBe('{"self":{"self":{"self":{...}}}}')
  })

  it('value: what JSON can say and text cannot hold does not throw', () => {
    expect(showValue(JSON.parse('{"toString":1,"valueOf":2,"__proto__":3}'))).toBe(
      '{"toString":1,"valueOf":2,"__proto__":3}',
    )
    const hostile = {
      get a(): never {
        throw new Error('no')
      },
    }
    expect(showValue(hostile)).toBe('object')
    expect(showValue(Object.create(null))).toBe('{}')
  })
})
