import ndarray, { type NdArray } from 'ndarray'
import { describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import {
  applyTransform,
  cropFace,
  faceRegion,
  fitGaussianMixture,
  logDensity,
  refineFaceRegion,
  skinProbability,
} from '@facekit/annotate'
import { meanFace } from './mean-face.js'
import { demoFaces } from './photos.js'

describe('fitGaussianMixture', () => {
  const random = createRandom(11)
  const truth = [
    { weight: 0.5, mean: [0, 0], deviation: [1, 0.3], tilt: 0.5 },
    { weight: 0.3, mean: [6, 1], deviation: [0.5, 0.5], tilt: 0 },
    { weight: 0.2, mean: [-3, 5], deviation: [0.4, 1.2], tilt: -0.3 },
  ]
  const parts = truth.map(({ weight, mean, deviation, tilt }) =>
    Array.from({ length: 4000 * weight }, () => {
      const a = random.normal(0, deviation[0])
      return [mean[0] + a, mean[1] + tilt * a + random.normal(0, deviation[1])]
    }),
  )
  const samples = parts.flat()

  it('value: finds the components of a synthetic mixture', () => {
    const { weights, means, covariances } = fitGaussianMixture(samples, { components: 3, seed: 2 })
    for (const part of parts) {
      // The components hardly overlap: what EM finds are the moments of their own samples.
      const mean = [0, 1].map((axis) => part.reduce((sum, x) => sum + x[axis], 0) / part.length)
      const covariance = (a: number, b: number) =>
        part.reduce((sum, x) => sum + (x[a] - mean[a]) * (x[b] - mean[b]), 0) / part.length
      const distances = means.map((m) => Math.hypot(m[0] - mean[0], m[1] - mean[1]))
      const k = distances.indexOf(Math.min(...distances))
      expect(distances[k]).toBeLessThan(0.01)
      expect(weights[k] * samples.length).toBeCloseTo(part.length, -1)
      for (const [a, b] of [
        [0, 0],
        [0, 1],
        [1, 1],
      ]) {
        const scale = Math.sqrt(covariance(a, a) * covariance(b, b))
        expect(Math.abs(covariances[k][a][b] - covariance(a, b)) / scale).toBeLessThan(0.02)
      }
      expect(covariances[k][1][0]).toBe(covariances[k][0][1])
    }
  })

  it('value: the same seed gives the same numbers', () => {
    const fit = () => fitGaussianMixture(samples.slice(0, 900), { components: 2, seed: 4 })
    expect(fit()).toEqual(fit())
  })

  it('value: the density is that of the normal distribution', () => {
    const normal = logDensity({
      weights: [1],
      means: [[1, 2]],
      covariances: [
        [
          [4, 0],
          [0, 9],
        ],
      ],
    })
    expect(normal([1, 2])).toBeCloseTo(-Math.log(2 * Math.PI * 6), 12)
    expect(normal([3, 5])).toBeCloseTo(-Math.log(2 * Math.PI * 6) - 1, 12)
    const tilted = logDensity({
      weights: [1],
      means: [[0, 0]],
      covariances: [
        [
          [2, 1],
          [1, 2],
        ],
      ],
    })
    // x^T inverse x = (2 - 2 + 2) / 3 for x = (1, 1)
    expect(tilted([1, 1])).toBeCloseTo(-Math.log(2 * Math.PI * Math.sqrt(3)) - 1 / 3, 12)
  })

  it('throws: too few samples, NaN, covariances that are none', () => {
    expect(() => fitGaussianMixture([[1, 2]], { components: 2 })).toThrow(ValueError)
    expect(() =>
      fitGaussianMixture(
        [
          [1, NaN],
          [1, 2],
        ],
        { components: 1 },
      ),
    ).toThrow(/all finite/)
    expect(() =>
      logDensity({
        weights: [1],
        means: [[0, 0]],
        covariances: [
          [
            [1, 2],
            [2, 1],
          ],
        ],
      }),
    ).toThrow(ValueError)
  })
})

type Color = [number, number, number]

/** A synthetic crop: a face of one skin colour, shaded from the left, dark hair above y = 45, a background. */
function syntheticCrop(skin: Color, cast: Color = [1, 1, 1]): NdArray<Float32Array> {
  const random = createRandom(5)
  const region = faceRegion(meanFace(), { forehead: 1.2, innerMouth: true })
  const image = ndarray(new Float32Array(224 * 224 * 3), [224, 224, 3])
  for (let y = 0; y < 224; y++) {
    for (let x = 0; x < 224; x++) {
      const isFace = region.get(y, x) > 0.5
      const color = isFace ? (y < 45 ? [0.12, 0.09, 0.08] : skin) : [0.3, 0.45, 0.5]
      const shade = isFace ? 1.1 - 0.35 * (x / 224) : 1
      for (let c = 0; c < 3; c++) {
        image.set(y, x, c, Math.min(1, Math.max(0, color[c] * shade * cast[c] + random.normal(0, 0.01))))
      }
    }
  }
  return image
}

const meanOver = (mask: NdArray<Float32Array>, keep: (x: number, y: number) => boolean) => {
  let [sum, count] = [0, 0]
  for (let y = 0; y < 224; y++) {
    for (let x = 0; x < 224; x++) {
      if (!keep(x, y)) continue
      sum += mask.get(y, x)
      count++
    }
  }
  return sum / count
}

const cheeks = (x: number, y: number) =>
  y > 105 && y < 145 && Math.abs(x - 112) > 25 && Math.abs(x - 112) < 60
const hair = (x: number, y: number) => y > 8 && y < 38 && Math.abs(x - 112) < 40
const background = (x: number, y: number) => y < 200 && (x < 15 || x > 209)

const tones: [string, Color][] = [
  ['light', [0.9, 0.76, 0.68]],
  ['medium', [0.76, 0.57, 0.44]],
  ['brown', [0.55, 0.38, 0.28]],
  ['dark', [0.34, 0.23, 0.18]],
]

describe('skinProbability', () => {
  const casts: [string, Color][] = [
    ['white light', [1, 1, 1]],
    ['warm light', [1.08, 0.95, 0.75]],
    ['cold light', [0.85, 0.97, 1.15]],
    ['dim light', [0.5, 0.5, 0.5]],
  ]
  it.each(tones.flatMap(([tone, color]) => casts.map(([name, cast]) => ({ tone, name, color, cast }))))(
    'value: $tone skin in $name is told from hair and background',
    ({ color, cast }) => {
      const probability = skinProbability(syntheticCrop(color, cast), meanFace())
      expect(probability.shape).toEqual([224, 224])
      expect(meanOver(probability, cheeks)).toBeGreaterThan(0.85)
      expect(meanOver(probability, hair)).toBeLessThan(0.4)
      expect(meanOver(probability, background)).toBeLessThan(0.2)
    },
  )

  it('value: a picture without colour still tells skin from hair', () => {
    const image = syntheticCrop([0.76, 0.57, 0.44])
    for (let i = 0; i < image.data.length; i += 3) image.data[i] = image.data[i + 2] = image.data[i + 1]
    const probability = skinProbability(image, meanFace())
    expect(meanOver(probability, cheeks)).toBeGreaterThan(0.7)
    expect(meanOver(probability, hair)).toBeLessThan(0.4)
  })

  it('value: a white highlight gets a low weight', () => {
    const image = syntheticCrop([0.6, 0.42, 0.32])
    for (let y = 60; y < 70; y++)
      for (let x = 105; x < 119; x++) for (let c = 0; c < 3; c++) image.set(y, x, c, 0.99)
    const probability = skinProbability(image, meanFace())
    expect(meanOver(probability, (x, y) => y >= 62 && y < 68 && x >= 107 && x < 117)).toBeLessThan(0.3)
  })

  it('value: nowhere above the region, and a larger prior gives more', () => {
    const image = syntheticCrop([0.76, 0.57, 0.44])
    const region = faceRegion(meanFace())
    const probability = skinProbability(image, meanFace(), { faceRegion: region })
    expect(
      (probability.data as Float32Array).every((value, i) => value >= 0 && value <= region.data[i]),
    ).toBe(true)
    const mean = (prior: number) => meanOver(skinProbability(image, meanFace(), { prior }), () => true)
    expect(mean(0.95)).toBeGreaterThan(mean(0.2))
    const empty = skinProbability(image, meanFace(), {
      faceRegion: ndarray(new Float32Array(224 * 224), [224, 224]),
    })
    expect(Math.max(...empty.data)).toBe(0)
  })

  it('throws: wrong shapes and priors', () => {
    const image = syntheticCrop([0.76, 0.57, 0.44])
    expect(() => skinProbability(image, meanFace(), { prior: 1 })).toThrow(ValueError)
    expect(() => skinProbability(image, ndarray(new Float32Array(4), [2, 2]))).toThrow(ShapeError)
    expect(() =>
      skinProbability(image, meanFace(), { faceRegion: ndarray(new Float32Array(4), [2, 2]) }),
    ).toThrow(ShapeError)
  })
})

describe('refineFaceRegion', () => {
  const refine = (image: NdArray<Float32Array>) => {
    const region = faceRegion(meanFace())
    const probability = skinProbability(image, meanFace(), { faceRegion: region })
    return { region, refined: refineFaceRegion(region, probability, image, meanFace()) }
  }

  it.each(tones)('value: hair over the forehead goes, the face stays (%s skin)', (_, color) => {
    const { region, refined } = refine(syntheticCrop(color))
    expect((refined.data as Float32Array).every((value, i) => value <= region.data[i])).toBe(true)
    expect(meanOver(refined, hair)).toBeLessThan(0.1)
    expect(meanOver(refined, cheeks)).toBeGreaterThan(0.98)
    expect(refined.get(85, 78)).toBeGreaterThan(0.9)
  })

  it('value: a microphone goes, a highlight and nostrils stay', () => {
    const image = syntheticCrop([0.7, 0.5, 0.4])
    const disc = (cx: number, cy: number, radius: number, level: number) => {
      for (let y = cy - radius; y <= cy + radius; y++) {
        for (let x = cx - radius; x <= cx + radius; x++) {
          if (Math.hypot(x - cx, y - cy) <= radius) for (let c = 0; c < 3; c++) image.set(y, x, c, level)
        }
      }
    }
    disc(125, 195, 18, 0.05)
    disc(112, 62, 8, 1)
    disc(106, 134, 3, 0.08)
    const { refined } = refine(image)
    expect(refined.get(193, 125)).toBeLessThan(0.1)
    expect(refined.get(62, 112)).toBeGreaterThan(0.9)
    expect(refined.get(134, 106)).toBeGreaterThan(0.9)
  })

  it('value: when hardly anything looks like skin, the region stays as it is', () => {
    const region = faceRegion(meanFace())
    const none = ndarray(new Float32Array(224 * 224), [224, 224])
    const image = syntheticCrop([0.7, 0.5, 0.4])
    expect(refineFaceRegion(region, none, image, meanFace()).data).toEqual(region.data)
    expect(() => refineFaceRegion(region, ndarray(new Float32Array(4), [2, 2]), image, meanFace())).toThrow(
      ShapeError,
    )
  })
})

describe('on photographs', () => {
  it('value: cheeks and glabella are skin, corners of the crop are not', async () => {
    const [skins, others]: [number[], number[]] = [[], []]
    for (const { picture, landmarks } of await demoFaces()) {
      const crop = cropFace(picture, landmarks)
      const inCrop = applyTransform(crop.transform, landmarks)
      const probability = skinProbability(crop.image, inCrop)
      const middle = (a: number, b: number) =>
        [0, 1].map((axis) => Math.round((inCrop.get(a, axis) + inCrop.get(b, axis)) / 2))
      for (const [x, y] of [middle(41, 48), middle(46, 54), middle(27, 30)]) skins.push(probability.get(y, x))
      for (const x of [3, 220]) others.push(probability.get(5, x))
    }
    expect(Math.min(...skins)).toBeGreaterThan(0.7)
    // In one of the six corners is blond hair.
    expect(others.toSorted((a, b) => a - b).at(-2)).toBeLessThan(0.5)
  })
})
