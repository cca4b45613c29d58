import { type FaceLabel, faceLabels, labelOf } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import type { FaceParameters } from '@facekit/parameters'
import type { MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import { createFaceSynthesizer, disposeBatch, type SyntheticBatch } from '@facekit/synthetic'
import { createTinyFace, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const SIZE = 64
const plain = {
  hair: { bald: 1 },
  occluders: { hat: 0, glasses: 0, sunglasses: 0, hand: 0, object: 0, mask: 0, scarf: 0, patch: 0 },
  camera: { blur: 0, noise: 0, color: 0, compression: 0 },
}

let model: MorphableModel
/** Of a few modes: the CPU backend multiplies matrices slowly. */
const tiny = createTinyFace()
beforeAll(async () => {
  model = await loadBaseModel()
})

/** A batch as plain arrays. */
async function read(batch: SyntheticBatch) {
  const { parameters, ...tensors } = batch
  const entries = Object.entries(tensors).map(
    async ([name, tensor]) => [name, await (tensor as tf.Tensor).data()] as const,
  )
  const values = Object.fromEntries(await Promise.all(entries)) as Record<
    keyof Omit<SyntheticBatch, 'parameters'>,
    Float32Array
  >
  void parameters
  disposeBatch(batch)
  return values
}

describe.each(testBackends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: everything that a batch holds', () => {
    const synthesizer = createFaceSynthesizer(tiny, { size: 32, batch: 2 })
    const batch = synthesizer.next()
    const { parameters, ...rest } = batch
    expect(Object.fromEntries(Object.entries(rest).map(([name, { shape }]) => [name, shape]))).toEqual({
      image: [2, 32, 32, 3],
      labels: [2, 32, 32],
      faceRegion: [2, 32, 32, 1],
      innerMouth: [2, 32, 32, 1],
      skin: [2, 32, 32, 1],
      normals: [2, 32, 32, 3],
      landmarks: [2, 68, 2],
      landmarkVisibility: [2, 68],
      camera: [2, 2],
      box: [2, 4],
      fivePoints: [2, 5, 2],
      identityIds: [2],
    })
    expect(batch.labels.dtype).toBe('int32')
    expect(parameters.identity.shape).toEqual([2, tiny.layout.identity])
    expect(parameters.illumination.sphericalHarmonics.shape).toEqual([2, 9, 3])
    disposeBatch(batch)
    synthesizer.dispose()
  })

  it('value: finite, in range, and the same for the same seed, state and any batch size', async () => {
    const options = { size: 32, seed: 11 }
    const first = createFaceSynthesizer(tiny, { ...options, batch: 2 })
    const a = await read(first.next())
    const state = JSON.parse(JSON.stringify(first.state())) as unknown
    const b = await read(first.next())
    first.restore(state)
    expect(await read(first.next())).toEqual(b)
    first.dispose()
    for (const [name, values] of Object.entries(a)) {
      expect([name, values.every(Number.isFinite)]).toEqual([name, true])
    }
    for (const name of ['image', 'faceRegion', 'innerMouth', 'skin'] as const) {
      expect([name, a[name].every((value) => value >= 0 && value <= 1.001)]).toEqual([name, true])
    }
    expect(a.labels.every((value) => faceLabels[value] !== undefined)).toBe(true)
    const second = createFaceSynthesizer(tiny, { ...options, batch: 1 })
    const [c, d] = [await read(second.next()), await read(second.next())]
    second.dispose()
    const half = a.image.length / 2
    const difference = (x: Float32Array, y: Float32Array) =>
      x.reduce((sum, value, i) => sum + Math.abs(value - y[i]), 0) / x.length
    expect(difference(a.image.subarray(0, half), c.image)).toBeLessThan(1e-6)
    expect(difference(a.image.subarray(half), d.image)).toBeLessThan(1e-6)
    const other = createFaceSynthesizer(tiny, { ...options, seed: 12, batch: 2 })
    expect(difference((await read(other.next())).image, a.image)).toBeGreaterThan(0.05)
    other.dispose()
  })

  it('memory: a batch leaves nothing behind, nor does a synthesizer', async () => {
    const synthesizer = createFaceSynthesizer(tiny, { size: 32, batch: 1 })
    await expectNoLeak(() => disposeBatch(synthesizer.next()))
    synthesizer.dispose()
    await expectNoLeak(() => {
      const short = createFaceSynthesizer(tiny, { size: 32, batch: 1 })
      disposeBatch(short.next())
      short.dispose()
    })
  })
})

describe('labels and geometry', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: landmarks, masks and normals are those of renderFace', async () => {
    const fixed = { expression: { jawOpen: 0.6, mouthSmileLeft: 0.5 } }
    const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch: 3, seed: 5, ...plain, fixed })
    const batch = synthesizer.next()
    const parameters: FaceParameters = batch.parameters
    const view = { width: SIZE, height: SIZE, contour: 'visible', antialias: false } as const
    const rendering = renderFace(model, parameters, view)
    const gap = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0])
    expect(gap(batch.landmarks, rendering.landmarks)).toBeLessThan(1e-3)
    // Antialiasing smooths the borders of the masks; ears and hands are elsewhere.
    const count = (mask: tf.Tensor) => tf.tidy(() => tf.sum(mask).dataSync()[0])
    const wrong = tf.tidy(() => tf.sum(tf.abs(tf.sub(batch.faceRegion, rendering.mask))).dataSync()[0])
    expect(wrong / count(rendering.mask)).toBeLessThan(0.02)
    const mouth = tf.tidy(() => tf.sum(tf.abs(tf.sub(batch.innerMouth, rendering.innerMouth))).dataSync()[0])
    expect(mouth).toBeLessThan(0.3 * count(rendering.innerMouth))
    const lengths = tf.tidy(() => tf.sum(tf.square(batch.normals), 3).dataSync())
    expect(lengths.every((value) => value < 1e-6 || Math.abs(value - 1) < 1e-3)).toBe(true)
    tf.dispose({ ...rendering, fragments: { ...rendering.fragments } })
    disposeBatch(batch)
    synthesizer.dispose()
  })

  it('value: classes agree with the masks', async () => {
    const batch = 12
    const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch, seed: 21 })
    const { labels, faceRegion, innerMouth, skin } = await read(synthesizer.next())
    synthesizer.dispose()
    const share = (names: readonly FaceLabel[], mask: Float32Array, test: (value: number) => boolean) => {
      const wanted = names.map(labelOf)
      let [all, right] = [0, 0]
      labels.forEach((label, i) => {
        if (!wanted.includes(label)) return
        all++
        if (test(mask[i])) right++
      })
      expect([names[0], all > 0]).toEqual([names[0], true])
      return right / all
    }
    // Outlines are smoothed in the masks and sharp in the classes.
    expect(share(['nose', 'u_lip', 'l_lip', 'l_eye', 'r_eye'], faceRegion, (v) => v > 0.5)).toBeGreaterThan(
      0.985,
    )
    expect(share(['hair', 'hat', 'neck', 'cloth'], faceRegion, (v) => v < 0.5)).toBeGreaterThan(0.99)
    expect(share(['background'], faceRegion, (v) => v < 0.5)).toBeGreaterThan(0.998)
    expect(share(['mouth'], innerMouth, (v) => v > 0.5)).toBeGreaterThan(0.9)
    expect(share(['u_lip', 'l_lip', 'hair', 'hat', 'l_eye'], skin, (v) => v < 0.5)).toBeGreaterThan(0.99)
    const seen = new Set(labels)
    for (const name of ['skin', 'nose', 'eye_g', 'l_brow', 'hair', 'neck', 'l_ear'] as const) {
      expect([name, seen.has(labelOf(name))]).toEqual([name, true])
    }
  })

  it('value: seen landmarks lie on their part of the face; hidden ones behind something', async () => {
    const batch = 12
    const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch, seed: 31 })
    const { labels, landmarks, landmarkVisibility } = await read(synthesizer.next())
    synthesizer.dispose()
    const parts: [from: number, to: number, names: FaceLabel[]][] = [
      [17, 21, ['r_brow']],
      [22, 26, ['l_brow']],
      [28, 33, ['nose']],
      [36, 41, ['r_eye']],
      [42, 47, ['l_eye']],
      [48, 67, ['u_lip', 'l_lip', 'mouth']],
    ]
    let [all, right] = [0, 0]
    for (let b = 0; b < batch; b++) {
      for (const [from, to, names] of parts) {
        for (let i = from; i <= to; i++) {
          if (landmarkVisibility[b * 68 + i] === 0) continue
          const at = (b * 68 + i) * 2
          // A shut eye is no eye any more.
          const opening = (upper: number, lower: number) =>
            Math.hypot(
              ...[0, 1].map((c) => landmarks[(b * 68 + upper) * 2 + c] - landmarks[(b * 68 + lower) * 2 + c]),
            )
          if (from === 36 && opening(37, 41) < 1) continue
          if (from === 42 && opening(43, 47) < 1) continue
          const [x, y] = [Math.floor(landmarks[at]), Math.floor(landmarks[at + 1])]
          all++
          // Shut eyes and thin brows are no pixel wide; clear lenses lie over what is seen.
          const near = [-2, -1, 0, 1, 2].flatMap((dy) =>
            [-2, -1, 0, 1, 2].map((dx) => faceLabels[labels[(b * SIZE + y + dy) * SIZE + x + dx]]),
          )
          if (near.some((name) => names.includes(name) || name === 'eye_g')) right++
        }
      }
    }
    expect(all).toBeGreaterThan(batch * 35)
    expect(right / all).toBeGreaterThan(0.98)
    const hidden = landmarkVisibility.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0)
    expect(hidden).toBeGreaterThan(batch * 8)
  })

  it('value: people are the same, pictures are not; what is fixed stays', async () => {
    const synthesizer = createFaceSynthesizer(model, {
      size: 32,
      batch: 6,
      picturesPerIdentity: 2,
      identities: 2,
      fixed: { expression: { jawOpen: 0.5 }, rotation: [0, 20, 0] },
    })
    const batch = synthesizer.next()
    expect(Array.from(await batch.identityIds.data())).toEqual([0, 0, 1, 1, 0, 0])
    const people = (await batch.parameters.identity.array()) as number[][]
    expect(people[4]).toEqual(people[0])
    expect(people[2]).not.toEqual(people[0])
    const expressions = (await batch.parameters.expression.array()) as number[][]
    const jaw = model.shape.expressionNames!.indexOf('jawOpen')
    for (const row of expressions)
      expect(row.map((value, k) => (k === jaw ? value - 0.5 : value))).toEqual(row.map(() => 0))
    const rotations = (await batch.parameters.pose.rotation.array()) as number[][]
    for (const [pitch, yaw] of rotations) expect([pitch, yaw]).toEqual([0, expect.closeTo(Math.PI / 9, 5)])
    const points = (await batch.fivePoints.array()) as number[][][]
    for (const five of points) expect(five[0][0]).toBeLessThan(five[1][0])
    disposeBatch(batch)
    synthesizer.dispose()
  })
})
