import { createRandom } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import type { MorphableModel } from '@facekit/morphable'
import { beforeAll, describe, expect, it } from 'vitest'
import { albedoOf, at, shapeOf } from './model-helpers.js'

/** Edges of the right lids, from corner to corner: MediaPipe's vertices. */
const UPPER = [246, 161, 160, 159, 158, 157, 173]
const LOWER = [7, 163, 144, 145, 153, 154, 155]
/** Inner edges of the lips. */
const LIPS = [
  [81, 178],
  [82, 87],
  [13, 14],
  [312, 317],
  [311, 402],
]
const EYEBALL = 16

let model: MorphableModel
beforeAll(async () => {
  model = await loadBaseModel({ variant: 'scans' })
})

function people(count: number, seed: number): Record<number, number>[] {
  const random = createRandom(seed)
  for (let i = 0; i < 8; i++) random.uniform()
  return Array.from({ length: count }, () =>
    Object.fromEntries(Array.from({ length: model.layout.identity }, (_, k) => [k, random.normal()])),
  )
}

describe('identity', () => {
  it('value: nobody’s lids cut the eyeball or gape from it', () => {
    const distances = (shape: ArrayLike<number>) => {
      const pupil = at(shape, model.regions!.eyeRight[0])
      const center = [pupil[0], pupil[1], pupil[2] - EYEBALL]
      return [...UPPER, ...LOWER].map((i) => Math.hypot(...at(shape, i).map((value, c) => value - center[c])))
    }
    const mean = distances(model.shape.mean.data as Float32Array)
    for (const identity of people(60, 5)) {
      distances(shapeOf(model, { identity })).forEach((distance, k) => {
        expect(distance).toBeGreaterThan(EYEBALL - 0.05)
        expect(Math.abs(distance - mean[k])).toBeLessThan(0.6)
      })
    }
  })

  it('value: everybody’s lips are closed', () => {
    for (const identity of people(60, 6)) {
      const shape = shapeOf(model, { identity })
      for (const [upper, lower] of LIPS) {
        expect(Math.abs(shape[upper * 3 + 1] - shape[lower * 3 + 1])).toBeLessThan(0.6)
      }
    }
  })

  it('value: depth varies most, faces are not symmetric, modes fall in size', () => {
    const { data } = model.shape.identity
    const size = model.vertexCount * 3
    const [axes, power] = [[0, 0, 0], new Float64Array(model.layout.identity)]
    for (let k = 0; k < model.layout.identity; k++) {
      for (let i = 0; i < 468 * 3; i++) {
        axes[i % 3] += data[k * size + i] ** 2
        power[k] += data[k * size + i] ** 2
      }
    }
    expect(axes[2]).toBeGreaterThan(1.5 * axes[0])
    expect(axes[2]).toBeGreaterThan(1.5 * axes[1])
    expect(power[0]).toBeGreaterThan(8 * power[20])
    expect(power[20]).toBeGreaterThan(3 * power[79])
    const dense = model.denseLandmarks!
    const crooked = people(20, 7).map((identity) => {
      const shape = shapeOf(model, { identity })
      const sum = dense.reduce((total, vertex, l) => {
        const [a, b] = [at(shape, vertex), at(shape, dense[model.denseMirror![l]])]
        return total + (a[1] - b[1]) ** 2
      }, 0)
      return Math.sqrt(sum / dense.length)
    })
    expect(Math.min(...crooked)).toBeGreaterThan(0.2)
  })
})

describe('expressions', () => {
  it('value: a blink closes most people’s eyes from corner to corner', () => {
    let open = 0
    const faces = people(60, 8)
    for (const identity of faces) {
      const shape = shapeOf(model, { identity, expression: { eyeBlinkRight: 1 } })
      UPPER.forEach((upper, k) => {
        // Near the corners lids do not move.
        if (k > 0 && k < 6 && shape[upper * 3 + 1] - shape[LOWER[k] * 3 + 1] > 0.5) open++
      })
    }
    expect(open / (5 * faces.length)).toBeLessThan(0.1)
  })

  it('value: lips do not pass through each other', () => {
    for (const name of model.shape.expressionNames!) {
      for (const amount of [0.5, 1]) {
        const shape = shapeOf(model, { expression: { [name]: amount } })
        for (const [upper, lower] of LIPS) {
          expect(shape[upper * 3 + 1] - shape[lower * 3 + 1]).toBeGreaterThan(-0.5)
        }
      }
    }
  })
})

describe('albedo', () => {
  it('value: over 10,000 random faces at most 0.1 % of the numbers are at a bound', () => {
    const random = createRandom(9)
    const { layout, albedo, vertexCount } = model
    const size = vertexCount * 3
    const chosen = Array.from({ length: 150 }, (_, i) => (i * 157) % size)
    let [outside, shine] = [0, 0]
    for (let face = 0; face < 10_000; face++) {
      const b = Array.from({ length: layout.albedo }, () => random.normal())
      for (const i of chosen) {
        let diffuse = albedo.diffuseMean.data[i]
        let specular = albedo.specularMean.data[i]
        for (let k = 0; k < b.length; k++) {
          diffuse += b[k] * albedo.diffuse.data[k * size + i]
          specular += b[k] * albedo.specular.data[k * size + i]
        }
        if (diffuse <= 0 || diffuse >= 1) outside++
        if (specular < 0.02 || specular > 0.06) shine++
      }
    }
    expect(outside / 10_000 / chosen.length).toBeLessThan(0.001)
    expect(shine / 10_000 / chosen.length).toBeLessThan(0.001)
  })

  it('value: nose tip, forehead and lips shine most', () => {
    const specular = (vertex: number) => model.albedo.specularMean.data[vertex * 3]
    for (const vertex of [4, 151, 13]) expect(specular(vertex)).toBeGreaterThan(1.1 * specular(50))
  })

  it('value: tones lie where spectrophotometers find skin, from the darkest to the lightest', () => {
    for (const [melanin, lightness] of [
      [-3, 76],
      [0, 59],
      [3, 30],
    ]) {
      const [r, g, b] = at(albedoOf(model, [melanin]), 50)
      const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
      const [x, y, z] = [
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
      ].map(f)
      expect(Math.abs(116 * y - 16 - lightness)).toBeLessThan(5)
      expect(Math.abs(500 * (x - y) - 12)).toBeLessThan(6)
      expect(Math.abs(200 * (y - z) - 17)).toBeLessThan(7)
    }
  })
})
