import { createRandom, type Random } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import { validateModel, type MorphableModel } from '@facekit/morphable'
import { beforeAll, describe, expect, it } from 'vitest'
import { albedoOf, at, frontArea, shapeOf } from './model-helpers.js'

/** A stream without its first numbers: those of small seeds are alike. */
function seeded(seed: number): Random {
  const random = createRandom(seed)
  for (let i = 0; i < 8; i++) random.uniform()
  return random
}

describe.each(['scans', 'learned', 'synthetic'] as const)('%s', (variant) => {
  let model: MorphableModel
  let mean: Float32Array
  beforeAll(async () => {
    model = await loadBaseModel({ variant })
    mean = model.shape.mean.data as Float32Array
    validateModel(model)
  })

  describe('mean', () => {
    it('value: triangles are counter-clockwise seen from outside', () => {
      const { total, front } = frontArea(mean, model.triangles)
      expect(front / total).toBeGreaterThan(0.97)
      const mouth = frontArea(mean, model.innerMouthTriangles)
      expect(mouth.front / mouth.total).toBeGreaterThan(0.9)
    })

    it('value: a human face in millimetres', () => {
      const distance = (i: number, j: number) =>
        Math.hypot(...at(mean, model.landmarks[i]).map((value, c) => value - at(mean, model.landmarks[j])[c]))
      expect(distance(36, 45)).toBeGreaterThan(80)
      expect(distance(36, 45)).toBeLessThan(100)
      expect(distance(0, 16)).toBeGreaterThan(130)
      expect(distance(27, 8)).toBeGreaterThan(105)
      // The lips are closed.
      expect(distance(62, 66)).toBeLessThan(1.5)
    })

    it('value: mirror-symmetric', () => {
      const key = (x: number, y: number, z: number) => [x, y, z].map((v) => Math.round(v * 50) + 0).join()
      const places = new Set<string>()
      for (let i = 0; i < model.vertexCount; i++) {
        const [x, y, z] = at(mean, i)
        for (const dx of [-1, 0, 1])
          for (const dy of [-1, 0, 1])
            for (const dz of [-1, 0, 1]) places.add(key(x + dx / 50, y + dy / 50, z + dz / 50))
      }
      for (let i = 0; i < model.vertexCount; i++) {
        const [x, y, z] = at(mean, i)
        expect(places.has(key(-x, y, z))).toBe(true)
      }
    })

    it('value: no edge belongs to three triangles, and the mouth patch shares the border of the lips', () => {
      const edges = new Map<string, number>()
      const count = (triangles: Int32Array) => {
        for (let t = 0; t < triangles.length; t += 3) {
          for (let k = 0; k < 3; k++) {
            const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]]
            // Directed: a second time means that two neighbours disagree about the outside.
            expect(edges.has(`${a},${b}`)).toBe(false)
            edges.set(`${a},${b}`, t)
          }
        }
      }
      count(model.triangles)
      const skin = new Set(edges.keys())
      count(model.innerMouthTriangles)
      let shared = 0
      for (const edge of edges.keys()) {
        if (!skin.has(edge) && skin.has(edge.split(',').toReversed().join())) shared++
      }
      expect(shared).toBe(20 * 4)
    })

    it('value: landmarks are in the order of iBUG, the subject’s right first', () => {
      const place = Array.from(model.landmarks, (i) => at(mean, i))
      const rising = (list: number[]) => list.every((value, i) => i === 0 || value > list[i - 1])
      expect(rising(place.slice(4, 13).map(([x]) => x))).toBe(true)
      expect(place[0][0]).toBeLessThan(-70)
      expect(place[8][1]).toBeLessThan(-85)
      expect(rising(place.slice(17, 27).map(([x]) => x))).toBe(true)
      expect(rising(place.slice(27, 31).map(([, y]) => -y))).toBe(true)
      expect(rising(place.slice(31, 36).map(([x]) => x))).toBe(true)
      expect(place[36][0]).toBeLessThan(place[39][0])
      expect(place[42][0]).toBeLessThan(place[45][0])
      expect(place[37][1]).toBeGreaterThan(place[41][1])
      expect(place[44][1]).toBeGreaterThan(place[46][1])
      expect(rising(place.slice(48, 55).map(([x]) => x))).toBe(true)
      expect(rising(place.slice(54, 60).map(([x]) => -x))).toBe(true)
      expect(place[51][1]).toBeGreaterThan(place[57][1])
      expect(rising(place.slice(60, 65).map(([x]) => x))).toBe(true)
      expect(place[62][1]).toBeGreaterThan(place[66][1])
      for (let i = 0; i < 8; i++) expect(place[i][0]).toBeCloseTo(-place[16 - i][0], 1)
    })

    it('value: dense landmarks are the 68 and others, each once, in mirrored pairs, on all parts of the face', () => {
      const dense = model.denseLandmarks!
      expect(dense.length).toBe(560)
      expect(new Set(dense).size).toBe(560)
      expect(dense.slice(0, 68)).toEqual(model.landmarks)
      dense.forEach((vertex, l) => {
        const [x, y, z] = at(mean, vertex)
        const partner = at(mean, dense[model.denseMirror![l]])
        ;[-x, y, z].forEach((value, c) => expect(partner[c]).toBeCloseTo(value, 3))
      })
      const count = (name: string) => {
        const members = new Set(model.regions![name])
        return dense.filter((vertex) => members.has(vertex)).length
      }
      expect(count('iris')).toBeGreaterThanOrEqual(2)
      expect(count('eyeLeft')).toBe(9)
      expect(count('lips')).toBeGreaterThan(40)
      expect(count('nose')).toBeGreaterThan(60)
      expect(count('brows')).toBeGreaterThan(8)
      // No vertex of the skin is far from one.
      const skin = Array.from(model.regions!.skin, (i) => at(mean, i))
      const far = skin.map((p) =>
        Math.min(...Array.from(dense, (i) => Math.hypot(...at(mean, i).map((v, c) => v - p[c])))),
      )
      expect(Math.max(...far)).toBeLessThan(14)
    })

    it('value: jaw contours begin at their landmark and lead inwards on its side', () => {
      model.jawContours!.forEach((contour, k) => {
        expect(contour[0]).toBe(model.landmarks[k])
        expect(contour.length).toBeGreaterThan(6)
        const [first, last] = [at(mean, contour[0]), at(mean, contour.at(-1)!)]
        expect(last[1]).toBeGreaterThan(first[1] + (k === 8 ? 15 : -3))
        expect(last[0] * Math.sign(first[0]) + 1e-3).toBeGreaterThanOrEqual(0)
        expect(Math.abs(last[0])).toBeLessThanOrEqual(Math.abs(first[0]))
      })
    })

    it('value: texture coordinates are in 0..1 and upright, eyeballs apart from the skin', () => {
      const uv = model.uv!.data as Float32Array
      expect(uv.every((value) => value >= 0 && value <= 1)).toBe(true)
      const [chin, brow] = [model.landmarks[8], model.landmarks[21]]
      expect(uv[brow * 2 + 1]).toBeGreaterThan(uv[chin * 2 + 1])
      const eyes = new Set([...model.regions!.sclera, ...model.regions!.iris])
      for (let i = 0; i < model.vertexCount; i++) {
        const corner = Math.min(uv[i * 2], 1 - uv[i * 2]) < 0.115 && uv[i * 2 + 1] < 0.115
        expect(corner).toBe(eyes.has(i))
      }
    })

    it('value: regions are where they should be', () => {
      const regions = model.regions!
      for (const name of [
        'skin',
        'lips',
        'brows',
        'sclera',
        'iris',
        'nose',
        'cheeks',
        'forehead',
        'innerMouth',
      ]) {
        expect(regions[name].length).toBeGreaterThan(40)
      }
      expect(regions.eyeLeft.every((i) => mean[i * 3] > 0)).toBe(true)
      expect(regions.browRight.every((i) => mean[i * 3] < 0)).toBe(true)
      expect(regions.lips.every((i) => Math.abs(mean[i * 3]) < 30 && mean[i * 3 + 1] < -25)).toBe(true)
    })
  })

  describe('identity', () => {
    it('value: random faces differ from the mean as people do', () => {
      const random = seeded(3)
      let sum = 0
      const faces = 40
      for (let face = 0; face < faces; face++) {
        const identity = Object.fromEntries(Array.from({ length: 80 }, (_, k) => [k, random.normal()]))
        const shape = shapeOf(model, { identity })
        for (let i = 0; i < 468 * 3; i++) sum += (shape[i] - mean[i]) ** 2
      }
      const spread = Math.sqrt(sum / faces / 468)
      expect(spread).toBeGreaterThan(2.5)
      expect(spread).toBeLessThan(3.5)
    })

    it('value: the mouth stays closed and the lids stay on the eyes', () => {
      const random = seeded(4)
      for (let face = 0; face < 20; face++) {
        const identity = Object.fromEntries(Array.from({ length: 80 }, (_, k) => [k, random.normal()]))
        const shape = shapeOf(model, { identity })
        expect(Math.abs(shape[13 * 3 + 1] - shape[14 * 3 + 1])).toBeLessThan(1.5)
        // The iris stays behind the lids: the middle of the eyeball is between them, and not in front of them.
        const pupil = model.regions!.eyeRight[0]
        expect(shape[pupil * 3 + 1]).toBeLessThan(shape[159 * 3 + 1] + 1)
        expect(shape[pupil * 3 + 1]).toBeGreaterThan(shape[145 * 3 + 1] - 1)
        expect(shape[pupil * 3 + 2]).toBeLessThan(Math.max(shape[159 * 3 + 2], shape[145 * 3 + 2]) + 3)
      }
    })

    it('value: modes hold no motion of the whole head', () => {
      const basis = model.shape.identity.data
      const size = model.vertexCount * 3
      for (let k = 0; k < 10; k++) {
        let x = 0
        let norm = 0
        for (let i = 0; i < 468; i++) {
          x += basis[k * size + i * 3]
          norm += basis[k * size + i * 3] ** 2
        }
        expect(Math.abs(x / 468)).toBeLessThan(0.35 * Math.sqrt(norm / 468) + 0.05)
      }
    })
  })

  describe('albedo', () => {
    it('value: the mean is skin, in linear light', () => {
      const cheek = at(model.albedo.diffuseMean.data, 50)
      expect(cheek[0]).toBeGreaterThan(0.35)
      expect(cheek[0]).toBeLessThan(0.52)
      expect(cheek[0]).toBeGreaterThan(cheek[1])
      expect(cheek[1]).toBeGreaterThan(cheek[2])
      const lip = at(model.albedo.diffuseMean.data, 15)
      expect(lip[0] / lip[1]).toBeGreaterThan(cheek[0] / cheek[1])
      const specular = model.albedo.specularMean.data as Float32Array
      expect(Math.min(...specular)).toBeGreaterThan(0.005)
      expect(Math.max(...specular)).toBeLessThan(0.09)
      expect(specular[4 * 3]).toBeGreaterThan(specular[50 * 3])
    })

    it('value: melanin spans light to dark', () => {
      const [light, dark] = [-3, 3].map((amount) => at(albedoOf(model, [amount]), 50))
      expect(light[0]).toBeGreaterThan(0.65)
      expect(dark[0]).toBeLessThan(0.13)
      expect(Math.min(...dark)).toBeGreaterThan(0.01)
    })

    it('value: each mode at 3 deviations, and random faces, stay in 0..1 nearly everywhere', () => {
      const outside = (albedo: Float32Array) =>
        albedo.reduce((sum, value) => sum + (value < -0.01 || value > 1 ? 1 : 0), 0) / albedo.length
      for (let k = 0; k < model.layout.albedo; k++) {
        for (const amount of [-3, 3]) {
          const coefficients = new Float32Array(model.layout.albedo)
          coefficients[k] = amount
          expect(outside(albedoOf(model, coefficients))).toBeLessThan(variant === 'synthetic' ? 1e-9 : 0.005)
        }
      }
      const random = seeded(12)
      let sum = 0
      for (let face = 0; face < 30; face++) {
        sum += outside(
          albedoOf(
            model,
            Float32Array.from({ length: model.layout.albedo }, () => random.normal()),
          ),
        )
      }
      expect(sum / 30).toBeLessThan(0.005)
    })
  })
})
