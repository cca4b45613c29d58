import type { Tensor } from '@tensorflow/tfjs-core'
import {
  AnnotationError,
  assertDataType,
  assertInRange,
  assertInteger,
  assertShape,
  BackendError,
  CheckpointError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ShapeError,
  ValueError,
} from '@facekit/core'
import { describe, expect, it } from 'vitest'

const tensor = (...shape: number[]) => ({ shape })

describe('errors', () => {
  it.each([
    [ShapeError, 'ShapeError'],
    [ValueError, 'ValueError'],
    [BackendError, 'BackendError'],
    [ModelFormatError, 'ModelFormatError'],
    [ImageError, 'ImageError'],
    [AnnotationError, 'AnnotationError'],
    [CheckpointError, 'CheckpointError'],
  ])('value: %o is a FacekitError with its own name and keeps its cause', (Type, name) => {
    const cause = new Error('below')
    const error = new Type('who: what', { cause })
    expect(error).toBeInstanceOf(FacekitError)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(error.cause).toBe(cause)
    expect(String(error)).toBe(`${name}: who: what`)
  })
})

describe('assertShape', () => {
  it('value: gives the sizes of the names', () => {
    expect(assertShape('f: x', tensor(2, 5, 3), ['B', 'N', 3])).toEqual({ B: 2, N: 5 })
    expect(assertShape('f: x', tensor(7, 8, 3), ['...', 3])).toEqual({})
    expect(assertShape('f: x', tensor(3), ['...', 3])).toEqual({})
  })

  it('value: names keep their sizes from check to check', () => {
    const known = assertShape('f: x', tensor(2, 5), ['B', 'N'])
    expect(() => assertShape('f: y', tensor(3, 5), ['B', 'N'], known)).toThrow(
      'f: y is [3, 5], expected [B=2, N=5]',
    )
  })

  it('throws: who, what it is, what is expected, and the remedy, in one line', () => {
    const check = () =>
      assertShape('renderFace: identity', tensor(1, 80), ['B', 199], {}, 'pass model.layout')
    expect(check).toThrow(ShapeError)
    expect(check).toThrow('renderFace: identity is [1, 80], expected [B, 199]; pass model.layout')
    expect(() => assertShape('f: x', tensor(1, 2, 3), ['B', 3])).toThrow('f: x is [1, 2, 3], expected [B, 3]')
    expect(() => assertShape('f: x', tensor(4), ['...', 3])).toThrow('expected [..., 3]')
    expect(() => assertShape('f: x', tensor(2, 3), ['N', 'N'])).toThrow('f: x is [2, 3]')
  })

  it('throws: on what is no tensor', () => {
    for (const nothing of [undefined, null, 3, {}, [1, 2]]) {
      expect(() => assertShape('f: x', nothing as never, ['B'])).toThrow(ShapeError)
    }
  })
})

describe('assertDataType', () => {
  it('throws: names both types and the remedy', () => {
    const indices = { dtype: 'int32' } as Tensor
    assertDataType('f: x', indices, 'int32')
    expect(() => assertDataType('f: x', indices, 'float32')).toThrow(
      'f: x has data type int32, expected float32',
    )
  })
})

describe('value checks', () => {
  it('value: the ends of a range belong to it', () => {
    assertInRange('f: x', 0, 0, 1)
    assertInRange('f: x', 1, 0, 1)
    assertInteger('f: n', 3, 3, 3)
  })

  it('throws: outside, NaN, infinite, fractions, and what is no number', () => {
    for (const value of [-0.1, 1.1, Number.NaN, Infinity, '1', null, undefined]) {
      expect(() => assertInRange('f: x', value as number, 0, 1)).toThrow(ValueError)
    }
    for (const value of [2, 0.5, Number.NaN, Infinity, '1', 2 ** 60]) {
      expect(() => assertInteger('f: n', value as number, 0, 1)).toThrow(ValueError)
    }
    expect(() => assertInRange('f: x', 2, 0, 1)).toThrow('f: x is 2, expected a number from 0 to 1')
    expect(() => assertInteger('f: n', 0.5, 1, 9)).toThrow('f: n is 0.5, expected a whole number from 1 to 9')
  })
})
