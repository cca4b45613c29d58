import '@tensorflow/tfjs-backend-cpu'
import { statSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Segmenter,
  applyTransform,
  createSegmenter,
  createUnetPlusPlus,
  cropFace,
  disposeNetworks,
  faceRegion,
  foldSegmenter,
  loadSegmenter,
  ownFace,
  saveSegmenter,
  segment,
} from '@facekit/annotate'
import { createRandom, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { layersWeights, loadLayersWeights } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { meanFace } from './mean-face.js'
import { demoFaces } from './photos.js'

const tiny = { inputSize: 32, widths: [4, 6, 8], seed: 3 }
const webgpu = await hasWebgpu()
const random = createRandom(5)
const picture = (size: number) =>
  ndarray(
    Float32Array.from({ length: size * size * 3 }, () => random.uniform()),
    [size, size, 3],
  )
const pixels = (batch: number, size: number) =>
  tf.tensor4d(
    Float32Array.from({ length: batch * size * size * 3 }, () => random.uniform()),
    [batch, size, size, 3],
  )

/** Moving averages and gains as a training would leave them, not ones and zeros. */
function scramble(segmenter: Segmenter): void {
  const draws = createRandom(9)
  for (const { name, value, write } of layersWeights(segmenter.model)) {
    const isScale = name.endsWith('moving_variance') || name.endsWith('gamma')
    if (!isScale && !name.endsWith('beta') && !name.endsWith('moving_mean')) continue
    const fresh = tf.tensor(
      Float32Array.from({ length: value.size }, () =>
        isScale ? draws.uniform(0.5, 2) : draws.normal(0, 0.3),
      ),
      value.shape,
    )
    write(fresh)
    fresh.dispose()
  }
}

describe('createUnetPlusPlus', () => {
  beforeAll(() => useBackend('cpu'))

  it('shape: an output for each column, of half the resolution', () => {
    const network = createUnetPlusPlus({ ...tiny, classes: 7 })
    expect(network.outputs.map((output) => output.shape)).toEqual([
      [null, 16, 16, 7],
      [null, 16, 16, 7],
    ])
    // Six nodes of a triangle of three levels, two convolutions each.
    expect(network.layers.filter((layer) => /^x\d\d-[ab]$/.test(layer.name))).toHaveLength(12)
    network.dispose()
  })

  it('value: the dense skips: x02 joins x00, x01 and what comes from x11', () => {
    const network = createUnetPlusPlus(tiny)
    expect(network.getLayer('x02-join').outputShape).toEqual([null, 16, 16, 4 + 4 + 6])
    expect(network.getLayer('x01-join').outputShape).toEqual([null, 16, 16, 4 + 6])
    network.dispose()
  })

  it('value: the same seed gives the same network', async () => {
    const [a, b] = [createUnetPlusPlus(tiny), createUnetPlusPlus(tiny)]
    const x = pixels(1, 32)
    const run = async (network: typeof a) =>
      (await (network.predict(x) as tf.Tensor[])[1].data()) as Float32Array
    expect(await run(a)).toEqual(await run(b))
    tf.dispose([x, a.getWeights(), b.getWeights()])
  })

  it('throws: sizes and depths that do not fit', () => {
    expect(() => createUnetPlusPlus({ inputSize: 100 })).toThrow(
      'createUnetPlusPlus: inputSize is 100, expected a multiple of 32 for 5 levels',
    )
    expect(() => createUnetPlusPlus({ widths: [8] })).toThrow(ValueError)
    expect(() => createUnetPlusPlus({ ...tiny, depth: 3 })).toThrow(ValueError)
    expect(() => createUnetPlusPlus({ ...tiny, classes: 1 })).toThrow(ValueError)
  })
})

describe.each([...testBackends, ...(webgpu ? ['webgpu'] : [])])('segmenter on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: predict gives probabilities for crops of any size', async () => {
    const segmenter = createSegmenter(tiny)
    // Each size is new programs for a GPU, which a software one compiles slowly.
    for (const size of backend === 'webgpu' ? [48] : [32, 48, 80]) {
      const x = pixels(2, size)
      const probabilities = segmenter.predict(x)
      expect(probabilities.shape).toEqual([2, size, size, 19])
      const sums = await tf.sum(probabilities, 3).data()
      expect(Math.max(...sums)).toBeCloseTo(1, 4)
      expect(Math.min(...sums)).toBeCloseTo(1, 4)
      tf.dispose([x, probabilities])
    }
    segmenter.dispose()
  })

  it('value: folding changes nothing, and a shallower network is the first outputs of the deep one', async () => {
    const segmenter = createSegmenter(tiny)
    scramble(segmenter)
    const x = pixels(2, 32)
    const outputs = segmenter.apply(x)
    for (const depth of backend === 'webgpu' ? [1] : [1, 2]) {
      const folded = foldSegmenter(segmenter, { depth })
      const some = folded.apply(x)
      expect(some).toHaveLength(depth)
      for (let k = 0; k < depth; k++) {
        const wanted = await outputs[k].data()
        const actual = await some[k].data()
        const scale = Math.max(...wanted.map(Math.abs))
        for (let i = 0; i < wanted.length; i += 37)
          expect(Math.abs(actual[i] - wanted[i])).toBeLessThan(1e-4 * scale)
      }
      tf.dispose(some)
      folded.dispose()
    }
    tf.dispose([x, outputs])
    segmenter.dispose()
  })

  it('value: labels are the likeliest classes, masks their probabilities', async () => {
    const segmenter = createSegmenter(tiny)
    const image = picture(32)
    const { classes, faceRegion, innerMouth } = await segmenter.segment(image)
    const x = tf.tensor4d(image.data, [1, 32, 32, 3])
    const probabilities = segmenter.predict(x)
    const p = await probabilities.data()
    for (let i = 0; i < 32 * 32; i += 19) {
      const at = [...p.subarray(i * 19, i * 19 + 19)]
      const [y, column] = [Math.floor(i / 32), i % 32]
      expect(at[classes.get(y, column)]).toBe(Math.max(...at))
      const face = [1, 2, 4, 5, 6, 7, 11, 12].reduce((sum, c) => sum + at[c], 0)
      expect(faceRegion.get(y, column)).toBeCloseTo(Math.min(1, Math.max(0, 2 * face - 0.5)), 4)
      expect(innerMouth.get(y, column)).toBeCloseTo(Math.min(1, Math.max(0, 2 * at[10] - 0.5)), 4)
    }
    tf.dispose([x, probabilities])
    segmenter.dispose()
  })

  it('memory: nothing is left but the network, and nothing after it', async () => {
    const before = tf.memory().numTensors
    const segmenter = createSegmenter(tiny)
    const x = pixels(1, 32)
    tf.dispose([segmenter.predict(x), segmenter.apply(x)])
    const warm = tf.memory().numTensors
    tf.dispose([segmenter.predict(x), segmenter.apply(x)])
    await segmenter.segment(picture(32))
    expect(tf.memory().numTensors).toBe(warm)
    x.dispose()
    segmenter.dispose()
    // Weights that the loader had made and replaced.
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('a segmenter file', () => {
  beforeAll(() => useBackend('cpu'))

  it('value: what was saved is loaded, folded or to be trained', async () => {
    const segmenter = createSegmenter(tiny)
    scramble(segmenter)
    const bytes = await saveSegmenter(segmenter, { metadata: { license: 'none' } })
    const x = pixels(1, 32)
    const wanted = await segmenter.predict(x).data()
    for (const trainable of [true, false]) {
      const loaded = await loadSegmenter({ weights: bytes, trainable })
      expect(loaded.options.widths).toEqual(tiny.widths)
      expect(loaded.options.form).toBe(trainable ? 'training' : 'folded')
      const actual = await loaded.predict(x).data()
      for (let i = 0; i < wanted.length; i += 41) expect(actual[i]).toBeCloseTo(wanted[i], 4)
      loaded.dispose()
    }
    const half = await saveSegmenter(segmenter, { precision: 'float16' })
    expect(half.length).toBeLessThan(0.75 * bytes.length)
    segmenter.dispose()
    x.dispose()
  })

  it('throws: a foreign file, a damaged one, and a folded network', async () => {
    const segmenter = createSegmenter(tiny)
    const bytes = await saveSegmenter(segmenter)
    await expect(loadSegmenter({ weights: bytes.subarray(0, bytes.length - 9) })).rejects.toThrow(
      ModelFormatError,
    )
    await expect(loadSegmenter({ weights: bytes, depth: 3 })).rejects.toThrow(ValueError)
    const other = createSegmenter({ ...tiny, widths: [4, 8, 8] })
    expect(() => loadLayersWeights(other.model, bytes)).toThrow(ModelFormatError)
    const folded = foldSegmenter(segmenter)
    expect(() => foldSegmenter(folded)).toThrow('foldSegmenter: the segmenter is folded already')
    await expect(saveSegmenter(folded)).rejects.toThrow(ValueError)
    expect(() => segmenter.predict(tf.zeros([1, 32, 40, 3]))).toThrow(ShapeError)
    await expect(segmenter.segment(ndarray(new Float32Array(12), [2, 2, 3]))).rejects.toThrow(ShapeError)
    tf.dispose([segmenter.model.getWeights(), other.model.getWeights(), folded.model.getWeights()])
  })
})

describe('ownFace', () => {
  const size = 224
  const full = () => ndarray(new Float32Array(size * size).fill(1), [size, size])
  const at = (mask: { get(y: number, x: number): number }, x: number, y: number) => mask.get(y, x)

  it('value: keeps the face of the landmarks, drops another one and what is not the picture', () => {
    const face = ndarray(new Float32Array(size * size), [size, size])
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        if ((x - 112) ** 2 + (y - 120) ** 2 < 70 ** 2) face.set(y, x, 0.9)
        if (x < 30 && y < 60) face.set(y, x, 1)
      }
    }
    const inside = full()
    for (let y = 0; y < size; y++) inside.set(y, 150, 0.25)
    const own = ownFace(face, { size, inside }, meanFace())
    expect(at(own, 112, 110)).toBeCloseTo(0.9, 6)
    expect(at(own, 150, 110)).toBe(0.25)
    expect(at(own, 10, 10)).toBe(0)
    expect(at(own, 112, 210)).toBe(0)
  })

  it('value: the opening of the mouth is no face', () => {
    const landmarks = meanFace()
    for (const i of [61, 62, 63]) landmarks.set(i, 1, landmarks.get(i, 1) - 5)
    for (const i of [65, 66, 67]) landmarks.set(i, 1, landmarks.get(i, 1) + 5)
    const own = ownFace(full(), { size, inside: full() }, landmarks)
    const middle = (landmarks.get(62, 1) + landmarks.get(66, 1)) / 2
    expect(at(own, Math.floor(landmarks.get(62, 0)), Math.floor(middle))).toBe(0)
  })
})

const shipped = new URL('../weights/segmenter.safetensors', import.meta.url)

describe('the weights of the package', () => {
  beforeAll(() => useBackend('wasm'))

  afterAll(() => disposeNetworks())

  it('smoke: load, and are small', async () => {
    expect(statSync(shipped).size).toBeLessThan(5e6)
    const segmenter = await loadSegmenter({ depth: 2 })
    expect(segmenter.options).toMatchObject({ classes: 19, depth: 2, form: 'folded' })
    segmenter.dispose()
  })

  it('value: find the face of photographs', async () => {
    for (const { picture, landmarks } of await demoFaces()) {
      const crop = cropFace(picture, landmarks)
      const inCrop = applyTransform(crop.transform, landmarks)
      const outline = faceRegion(inCrop, { innerMouth: true, forehead: 0 })
      const { faceRegion: face, innerMouth } = await segment(crop)
      let [both, either] = [0, 0]
      // Below the brows, where the outline needs no guess.
      for (let y = 85; y < 224; y++) {
        for (let x = 0; x < 224; x++) {
          const seen = Math.max(face.get(y, x), innerMouth.get(y, x)) > 0.5
          const truth = outline.get(y, x) > 0.5
          both += Number(seen && truth)
          either += Number(seen || truth)
        }
      }
      expect(both / either).toBeGreaterThan(0.85)
    }
  })
})
