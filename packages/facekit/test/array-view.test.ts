import arrayView from '../scripts/array-view.js'
import ndarray, { type NdArray } from 'ndarray'
import { describe, expect, it } from 'vitest'

/** Shape, and the elements of a view row by row. */
function content(view: Pick<NdArray, 'shape' | 'get'>): unknown {
  const values: number[] = []
  const visit = (place: number[]) => {
    if (place.length === view.shape.length) values.push(view.get(...place))
    else for (let i = 0; i < view.shape[place.length]; i++) visit([...place, i])
  }
  visit([])
  return { shape: view.shape, values }
}

const numbers = () => Float32Array.from({ length: 120 }, (_, i) => i)

describe('arrayView', () => {
  it.each([[[120]], [[10, 12]], [[4, 5, 6]], [[2, 3, 4, 5]]])(
    'value: views of %j are those of ndarray',
    (shape) => {
      const [ours, theirs] = [arrayView(numbers(), shape), ndarray(numbers(), shape)]
      const last = shape.map((length) => length - 1)
      for (const view of [ours, theirs]) view.set(...last, -7)
      expect(ours.get(...last)).toBe(-7)
      expect([...ours.data]).toEqual([...theirs.data])
      expect(ours.index(...last)).toBe(theirs.index(...last))
      expect([ours.size, ours.dimension, ours.dtype, ours.order]).toEqual([
        theirs.size,
        theirs.dimension,
        theirs.dtype,
        theirs.order,
      ])
      const views: ((view: NdArray<Float32Array>) => NdArray<Float32Array>)[] = [
        (view) => view.hi(2, 2),
        (view) => view.lo(1, 1),
        (view) => view.step(-2, 3),
        (view) => view.transpose(...[...shape.keys()].toReversed()),
        (view) => view.pick(null as unknown as number, 1),
        (view) =>
          view
            .lo(1)
            .transpose(1, 0, ...[2, 3].slice(0, shape.length - 2))
            .hi(2)
            .step(-1),
      ]
      for (const view of views.slice(0, shape.length > 1 ? undefined : 1))
        expect(content(view(ours as unknown as NdArray<Float32Array>))).toEqual(content(view(theirs)))
    },
  )

  it('value: no code is made from strings', () => {
    const original = globalThis.Function
    globalThis.Function = (() => {
      throw new EvalError('forbidden')
    }) as unknown as FunctionConstructor
    try {
      expect(arrayView(numbers(), [2, 60]).get(1, 1)).toBe(61)
    } finally {
      globalThis.Function = original
    }
  })
})
