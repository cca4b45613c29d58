import * as tf from '@tensorflow/tfjs-core'
import { ShapeError } from '@facekit/core'
import {
  assertParameters,
  buildParameters,
  constantPartSize,
  mapParameters,
  neutralParameters,
  parameterParts,
  parameterPath,
  parameterSegments,
  parametersFromTensors,
  parameterTensors,
  partOf,
  partShape,
  partSize,
  partStart,
} from '@facekit/parameters'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const layout = { identity: 80, expression: 64, albedo: 80 }

describe('the table of parameters', () => {
  beforeAll(() => useBackend('cpu'))

  it('value: ten parts, each found once, in the order of a packed vector', () => {
    expect(parameterParts.map(parameterPath)).toEqual([
      'identity',
      'expression',
      'albedo',
      'pose.rotation',
      'pose.translation',
      'pose.scale',
      'illumination.sphericalHarmonics',
      'illumination.lightPosition',
      'illumination.lightColor',
      'illumination.shininess',
    ])
    expect(parameterSegments(layout).map(({ name }) => name)).toEqual(parameterParts.map(({ name }) => name))
    expect(parameterSegments(layout).at(-1)).toEqual({ name: 'shininess', offset: 264, size: 1 })
  })

  it('shape: sizes follow the layout, those of pose and light do not', () => {
    expect(parameterParts.map((part) => partSize(part, layout))).toEqual([80, 64, 80, 3, 3, 1, 27, 3, 3, 1])
    expect(parameterParts.map(constantPartSize)).toEqual([
      undefined,
      undefined,
      undefined,
      3,
      3,
      1,
      27,
      3,
      3,
      1,
    ])
    expect(partShape(parameterParts[6], layout)).toEqual([9, 3])
  })

  it('value: start values are those of neutral parameters, and inside of their bounds', async () => {
    const neutral = neutralParameters(layout)
    for (const part of parameterParts) {
      const start = partStart(part, layout)
      expect([...(await partOf(neutral, part).data())]).toEqual(start.map(Math.fround))
      const least = 'least' in part ? part.least : -Infinity
      expect(start.filter((value) => value <= least)).toEqual([])
    }
  })

  it('value: trees are built, mapped and read part by part', () => {
    const names = buildParameters(({ name }) => name)
    expect(names.pose).toEqual({ rotation: 'rotation', translation: 'translation', scale: 'scale' })
    expect(Object.keys(names)).toEqual(['identity', 'expression', 'albedo', 'pose', 'illumination'])
    const lengths = mapParameters(names, (name) => name.length)
    expect(lengths.illumination.lightColor).toBe('lightColor'.length)
    expect(parameterParts.map((part) => partOf(names, part))).toEqual(parameterParts.map(({ name }) => name))
  })

  it('value: tensors of parameters give the same parameters back', () => {
    const neutral = neutralParameters(layout, 2)
    expect(parametersFromTensors(parameterTensors(neutral))).toEqual(neutral)
  })

  it.each(parameterParts.map((part) => [parameterPath(part), part] as const))(
    'throws: when %s is missing or has another shape',
    (path, part) => {
      const neutral = neutralParameters(layout)
      const replaced = (value: unknown) =>
        mapParameters(neutral, (tensor, other) => (other.name === part.name ? (value as tf.Tensor) : tensor))
      const check = (value: unknown) => () => assertParameters('app', replaced(value), { layout, batch: 1 })
      expect(check(partOf(neutral, part))).not.toThrow()
      expect(check(undefined)).toThrow(`app: ${path} is undefined, expected [B=1, `)
      expect(check(tf.zeros([1, 5]))).toThrow(ShapeError)
      expect(check(tf.zeros([2, ...partShape(part, layout)]))).toThrow(`app: ${path} is [2, `)
    },
  )

  it('throws: when a whole group is missing, or too few tensors are given', () => {
    const { pose: _, ...rest } = neutralParameters(layout)
    expect(() => assertParameters('app', rest as never)).toThrow('app: pose.rotation is undefined')
    expect(() => parametersFromTensors([])).toThrow('parametersFromTensors: identity is undefined')
  })

  it('throws: says what the caller can do', () => {
    const neutral = neutralParameters(layout)
    const check = () => assertParameters('app', neutral, { batch: 3, remedy: 'give three faces' })
    expect(check).toThrow('app: identity is [1, 80], expected [B=3, Ki]; give three faces')
  })
})
