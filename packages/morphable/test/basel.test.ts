import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ModelFormatError } from '@facekit/core'
import {
  cropModel,
  decodeMorphableModel,
  detectModelFormat,
  encodeMorphableModel,
  readAlbedoModel,
  readBaselFaceModel,
  readMorphableModel,
  validateModel,
  type MorphableModel,
} from '@facekit/morphable'
import { writeStatismo } from '@facekit/testing'
import { describe, expect, it } from 'vitest'
import { baselOf, face } from './face-files.js'
import { head } from './head.js'

const l4 = fileURLToPath(new URL('../../../../shared/data/statismo/random-l4.h5', import.meta.url))
const model = face()
const bytes = writeStatismo(baselOf(model))

const position = ({ shape }: MorphableModel, vertex: number) => [
  ...shape.mean.data.subarray(vertex * 3, vertex * 3 + 3),
]
const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, c) => value - b[c]))

describe('readBaselFaceModel', () => {
  it('value: shape, expression mean and modes are those that were written', async () => {
    const read = await readBaselFaceModel(await bytes, { landmarks: model.landmarks, crop: 'none' })
    validateModel(read)
    expect(read.layout).toEqual(model.layout)
    // The mean of the expression is in: up to the place of the whole, the mean is the tiny face's.
    const shift = position(read, 0).map((value, c) => value - position(model, 0)[c])
    read.shape.mean.data.forEach((value, i) =>
      expect(Math.abs(value - shift[i % 3] - model.shape.mean.data[i])).toBeLessThan(1e-3),
    )
    for (const name of ['identity', 'expression'] as const) {
      const [a, b] = [read.shape[name].data, model.shape[name].data]
      expect(a.every((value, i) => Math.abs(value - b[i]) < 1e-4)).toBe(true)
    }
  })

  it('value: colours become linear, modes to first order', async () => {
    const read = await readBaselFaceModel(await bytes, { landmarks: model.landmarks, crop: 'none' })
    const { diffuseMean, diffuse, specular } = read.albedo
    for (let i = 0; i < 300; i++) {
      expect(diffuseMean.data[i]).toBeCloseTo(model.albedo.diffuseMean.data[i], 4)
      const encoded = model.albedo.diffuseMean.data[i] ** (1 / 2.2)
      const step = 1e-3
      const slope = ((encoded + step) ** 2.2 - (encoded - step) ** 2.2) / (2 * step)
      expect(diffuse.data[i]).toBeCloseTo(slope * model.albedo.diffuse.data[i], 4)
    }
    expect(specular.data.every((value) => value === 0)).toBe(true)
  })

  it('value: landmarks by registration lie near the right ones, and the mouth is closed', async () => {
    const read = await readBaselFaceModel(await bytes, { template: model, crop: 'none' })
    const errors = [...read.landmarks].map((vertex, i) =>
      distance(position(model, vertex), position(model, model.landmarks[i])),
    )
    expect(errors.reduce((sum, value) => sum + value, 0) / 68).toBeLessThan(3)
    expect(read.innerMouthTriangles.length).toBeGreaterThan(30)
    // Every triangle of the mouth joins both lips' rims, and looks to the front or has no area.
    const rim = new Set(read.innerMouthTriangles)
    for (const vertex of read.landmarks.subarray(60)) expect(rim.has(vertex)).toBe(true)
    expect(read.jawContours).toHaveLength(17)
    expect(read.uv!.shape).toEqual([read.vertexCount, 2])
  })

  it('value: the inner mouth is put on the rim, each landmark on its own lip', async () => {
    const wrong = Int32Array.from(model.landmarks)
    // Lists that are published swap upper and lower lip, or name a vertex outside of the rim.
    ;[wrong[62], wrong[66]] = [wrong[66], wrong[62]]
    wrong[61] = wrong[49]
    const read = await readBaselFaceModel(await bytes, { landmarks: wrong, crop: 'none' })
    const right = await readBaselFaceModel(await bytes, { landmarks: model.landmarks, crop: 'none' })
    const y = (vertex: number) => position(read, vertex)[1]
    expect(y(read.landmarks[62])).toBeGreaterThan(y(read.landmarks[66]))
    expect(distance(position(read, read.landmarks[61]), position(read, right.landmarks[61]))).toBeLessThan(6)
    expect(read.landmarks.subarray(0, 60)).toEqual(right.landmarks.subarray(0, 60))
  })

  it('value: an albedo model replaces the colours (Eq. 2), and is cropped with the shape', async () => {
    const { albedo, layout } = model
    const part = (mean: Float32Array, basis: Float32Array) => ({ mean, basis, modes: layout.albedo })
    const input = baselOf(model)
    const albedoBytes = await writeStatismo({
      ...input,
      parts: {
        '/diffuseAlbedo': part(albedo.diffuseMean.data, albedo.diffuse.data),
        '/specularAlbedo': part(albedo.specularMean.data, albedo.specular.data),
      },
    })
    const read = await readMorphableModel(await bytes, { albedo: albedoBytes, landmarks: model.landmarks })
    expect(read.layout.albedo).toBe(layout.albedo)
    expect(read.vertexCount).toBeLessThanOrEqual(model.vertexCount)
    const both = await readBaselFaceModel(await bytes, {
      albedo: await readAlbedoModel(albedoBytes),
      landmarks: model.landmarks,
      crop: 'none',
      albedoModes: 2,
    })
    expect(both.layout.albedo).toBe(2)
    expect(both.albedo.specular.data[7]).toBeCloseTo(albedo.specular.data[7], 5)
    expect(both.albedo.diffuseMean.data[7]).toBeCloseTo(albedo.diffuseMean.data[7], 6)
  })

  it('value: modes can be cut, units are told, and the result survives a file', async () => {
    const metres = baselOf(model)
    for (const part of [metres.parts['/shape'], metres.parts['/expression']]) {
      part.mean = part.mean.map((value) => value / 1000)
      part.basis = part.basis.map((value) => value / 1000)
    }
    const options = {
      landmarks: model.landmarks,
      crop: 'none',
      identityModes: 3,
      expressionModes: 2,
    } as const
    const read = await readBaselFaceModel(await writeStatismo(metres), options)
    expect(read.layout).toMatchObject({ identity: 3, expression: 2 })
    expect(read.shape.identity.data[4]).toBeCloseTo(model.shape.identity.data[4], 3)
    const again = decodeMorphableModel(encodeMorphableModel(read))
    expect(again.shape.mean.data).toEqual(read.shape.mean.data)
    const said = await readBaselFaceModel(await writeStatismo({ ...metres, lengthUnit: 1 }), options)
    expect(said.shape.mean.data[5]).toBeCloseTo(read.shape.mean.data[5], 3)
    const wrong = readBaselFaceModel(await writeStatismo({ ...metres, lengthUnit: 0.001 }), options)
    await expect(wrong).rejects.toThrow(/check the unit and the landmarks/)
  })

  it('value: triangles that run the other way are turned', async () => {
    const turned = baselOf(model)
    turned.triangles = model.triangles.map(
      (_, i) => model.triangles[i % 3 === 1 ? i + 1 : i % 3 === 2 ? i - 1 : i],
    )
    const read = await readBaselFaceModel(await writeStatismo(turned), {
      landmarks: model.landmarks,
      crop: 'none',
    })
    expect(read.triangles).toEqual(model.triangles)
  })

  it('value: a whole head: landmarks from its named points, neck and back of the head cropped', async () => {
    const { positions, triangles, landmarks } = head()
    const named = {
      'center.chin.tip': 8,
      'center.nose.tip': 30,
      'right.nose.wing.tip': 31,
      'left.nose.wing.tip': 35,
      'right.eye.corner_outer': 36,
      'left.eye.corner_outer': 45,
      'right.lips.corner': 48,
      'left.lips.corner': 54,
    }
    const flat = Float32Array.from(positions, (_, i) => Math.sin(i))
    const input = {
      points: positions,
      triangles: Int32Array.from(triangles),
      parts: { '/shape': { mean: positions, basis: flat, modes: 1 } },
      namedPoints: Object.entries(named).map(([id, landmark]) => ({
        id,
        coordinates: [...positions.subarray(landmarks[landmark] * 3, landmarks[landmark] * 3 + 3)],
      })),
    }
    const bytes = await writeStatismo(input)
    const whole = await readBaselFaceModel(bytes, { crop: 'none' })
    expect(whole.vertexCount).toBe(positions.length / 3)
    for (const landmark of Object.values(named)) {
      const offset = [0, 1, 2].map(
        (c) =>
          whole.shape.mean.get(whole.landmarks[landmark], c) - whole.shape.mean.get(landmarks[landmark], c),
      )
      expect(Math.hypot(...offset)).toBeLessThan(8)
    }
    const cropped = await readBaselFaceModel(bytes)
    expect(cropped.vertexCount).toBeGreaterThan(whole.vertexCount / 6)
    expect(cropped.vertexCount).toBeLessThan(0.55 * whole.vertexCount)
    // Nothing of the back of the head is left.
    const depths = Array.from({ length: cropped.vertexCount }, (_, v) => cropped.shape.mean.get(v, 2))
    expect(Math.min(...depths)).toBeGreaterThan(-60)
  })

  it.skipIf(!existsSync(l4))(
    'value: a real head: landmarks from its named points, ears and neck cropped',
    async () => {
      const whole = await readBaselFaceModel(l4, { crop: 'none' })
      expect(whole.vertexCount).toBe(1529)
      // Where the file names points, e.g. the tip of the nose, the landmarks are there: its own space is that of the mean.
      const nose = position(whole, whole.landmarks[30])
      const chin = position(whole, whole.landmarks[8])
      expect(nose[1] - chin[1]).toBeGreaterThan(55)
      expect(nose[1] - chin[1]).toBeLessThan(90)
      expect(Math.abs(nose[0])).toBeLessThan(5)
      const cropped = await readBaselFaceModel(l4)
      expect(cropped.vertexCount).toBeLessThan(900)
      expect(cropped.vertexCount).toBeGreaterThan(300)
      expect(cropped.vertexCount).toBe(cropped.shape.mean.shape[0])
      expect(await detectModelFormat(l4)).toBe('basel')
    },
  )

  it('throws: what is no face, or lacks landmarks', async () => {
    const input = await bytes
    const cases: [() => Promise<unknown>, RegExp][] = [
      [
        () => readBaselFaceModel(input, { crop: 'none' }),
        /landmarks of this mesh of \d+ vertices are not known; pass/,
      ],
      [
        () => readBaselFaceModel(input, { landmarks: model.landmarks.map((_, i) => i) }),
        /the 68 landmarks do not fit the mesh/,
      ],
      [() => readBaselFaceModel(input, { landmarks: new Int32Array(3) }), /68 landmarks do not fit/],
    ]
    const swapped = Int32Array.from(model.landmarks)
    ;[swapped[36], swapped[45]] = [swapped[45], swapped[36]]
    cases.push([
      () => readBaselFaceModel(input, { landmarks: swapped }),
      /landmark (36|45) \(vertex \d+\) is \d+ mm from its place/,
    ])
    for (const [failure, message] of cases) {
      const error = await failure().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ModelFormatError)
      expect((error as Error).message).toMatch(message)
    }
    const small = cropModel(
      model,
      Int32Array.from({ length: model.vertexCount }, (_, i) => i),
    )
    expect(small.vertexCount).toBe(model.vertexCount)
  })
})
