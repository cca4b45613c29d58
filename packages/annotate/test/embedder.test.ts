import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { readSafetensors, ShapeError, ValueError, createRandom } from '@facekit/core'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { alignFace, disposeNetworks, embed, loadEmbedder, type Embedder } from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoFaces, scaled } from './photos.js'

/** Smooth coloured pictures: kinks of the network's relus are rare along directions that are smooth. */
function smoothPicture(size: number, seed: number): Float32Array {
  const random = createRandom(seed)
  const waves = Array.from({ length: 12 }, () => [0, 1, 2].map(() => random.normal(0, 6)))
  const picture = new Float32Array(size * size * 3)
  for (let i = 0; i < picture.length; i++) {
    const [y, x, c] = [Math.floor(i / 3 / size) / size, (Math.floor(i / 3) % size) / size, i % 3]
    let value = 0.5
    for (const [a, b, phase] of waves) value += 0.08 * Math.sin(a * x + b * y + phase + c)
    picture[i] = Math.min(1, Math.max(0, value))
  }
  return picture
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i]))

/** The same network in stock operations, straight from the file, with the gradients of tfjs itself. */
function referenceNetwork(): (chips: tf.Tensor4D) => tf.Tensor2D {
  const file = new URL('../weights/embedder.safetensors', import.meta.url)
  const { metadata, tensors } = readSafetensors(readFileSync(file))
  const quantization = JSON.parse(metadata.quantization) as Record<string, [number, number]>
  const weight = (name: string) => {
    const { shape, data } = tensors.get(name)!
    const [scale, minimum] = quantization[name] ?? [1, 0]
    return tf.tensor(
      Float32Array.from(data as Float32Array, (value) => value * scale + minimum),
      [...shape],
    )
  }
  const convolve = (x: tf.Tensor, name: string, stride: number) => {
    const filter = weight(`${name}/conv/filters`) as tf.Tensor4D
    const out = tf.add(
      tf.conv2d(x as tf.Tensor4D, filter, stride, stride === 1 ? 'same' : 'valid'),
      weight(`${name}/conv/bias`),
    )
    return tf.add(tf.mul(out, weight(`${name}/scale/weights`)), weight(`${name}/scale/biases`))
  }
  const block = (x: tf.Tensor, name: string) => {
    const down = name.includes('down')
    let out = convolve(tf.relu(convolve(x, `${name}/conv1`, down ? 2 : 1)), `${name}/conv2`, 1)
    if (!down) return tf.relu(tf.add(out, x))
    const pooled = tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid')
    const [, rows, columns, channels] = pooled.shape
    out = tf.pad(out, [[0, 0], [0, rows - out.shape[1]!], [0, columns - out.shape[2]!], [0, 0]]) // prettier-ignore
    return tf.relu(tf.add(out, tf.pad(pooled, [[0, 0], [0, 0], [0, 0], [0, out.shape[3]! - channels]]))) // prettier-ignore
  }
  return (chips) => {
    let x: tf.Tensor = tf.sub(chips, tf.tensor1d([122.782 / 255, 117.001 / 255, 104.298 / 255]))
    x = tf.maxPool(tf.relu(convolve(x, 'conv32_down', 2)) as tf.Tensor4D, 3, 2, 'valid')
    const names =
      'conv32_1 conv32_2 conv32_3 conv64_down conv64_1 conv64_2 conv64_3 conv128_down conv128_1 conv128_2'
    for (const name of `${names} conv256_down conv256_1 conv256_2 conv256_down_out`.split(' '))
      x = block(x, name)
    return tf.matMul(tf.mean(x, [1, 2]) as tf.Tensor2D, weight('fc') as tf.Tensor2D)
  }
}

/** The window of the crop that the network sees, by linear interpolation in float64. */
function referenceChip(picture: Float32Array, size: number): Float32Array {
  const chip = new Float32Array(150 * 150 * 3)
  const at = (v: number) => Math.min(size - 1, Math.max(0, v))
  for (let i = 0; i < 150 * 150; i++) {
    const x = (19.5 / 224 + (((i % 150) + 0.5) / 150) * (187.4 / 224)) * size - 0.5
    const y = (28.1 / 224 + ((Math.floor(i / 150) + 0.5) / 150) * (187.4 / 224)) * size - 0.5
    const [x0, y0] = [Math.floor(x), Math.floor(y)]
    const pixel = (row: number, column: number, c: number) => picture[(at(row) * size + at(column)) * 3 + c]
    for (let c = 0; c < 3; c++) {
      const top = pixel(y0, x0, c) * (1 - x + x0) + pixel(y0, x0 + 1, c) * (x - x0)
      const bottom = pixel(y0 + 1, x0, c) * (1 - x + x0) + pixel(y0 + 1, x0 + 1, c) * (x - x0)
      chip[i * 3 + c] = top * (1 - y + y0) + bottom * (y - y0)
    }
  }
  return chip
}

const wasmResults: { value?: Float32Array; gradient?: Float32Array } = {}

describe.each(testBackends.toReversed())('embed on %s', (backend) => {
  let embedder: Embedder
  beforeAll(async () => {
    await useBackend(backend)
    embedder = await loadEmbedder()
  })
  afterAll(disposeNetworks)

  it('shape: [B, S, S, 3] to [B, 128], each picture for itself', () => {
    const a = smoothPicture(64, 1)
    const b = smoothPicture(64, 2)
    tf.tidy(() => {
      const both = tf.tensor4d(Float32Array.from([...a, ...b]), [2, 64, 64, 3])
      const result = embedder.embed(both)
      expect(result.shape).toEqual([2, embedder.length])
      const alone = embedder.embed(tf.tensor4d(b, [1, 64, 64, 3])).dataSync()
      expect(distance(result.dataSync().slice(128), alone)).toBeLessThan(1e-4)
      expect(embed(tf.tensor4d(b, [1, 64, 64, 3])).dataSync()).toEqual(alone)
    })
  })

  it('value, gradient: the same on all backends', () => {
    const [value, gradient] = tf.tidy(() => {
      const images = tf.tensor4d(smoothPicture(96, 3), [1, 96, 96, 3])
      const f = (x: tf.Tensor) => tf.sum(tf.square(embedder.embed(x as tf.Tensor4D)))
      return [embedder.embed(images).dataSync(), tf.grad(f)(images).dataSync()] as Float32Array[]
    })
    wasmResults.value ??= value
    wasmResults.gradient ??= gradient
    expect(distance(value, wasmResults.value)).toBeLessThan(1e-4)
    const norm = distance(gradient, new Float32Array(gradient.length))
    expect(norm).toBeGreaterThan(0)
    // Rounding decides ties of the max pool and relus at zero, each backend's its own way: up to 2 % of the gradient.
    expect(distance(gradient, wasmResults.gradient)).toBeLessThan(0.05 * norm)
  })
})

describe('embed', () => {
  let embedder: Embedder
  beforeAll(async () => {
    await useBackend('wasm')
    embedder = await loadEmbedder()
  })
  afterAll(disposeNetworks)

  it('throws: wrong pictures', () => {
    expect(() => embedder.embed(tf.zeros([1, 64, 48, 3]))).toThrow(ShapeError)
    expect(() => embedder.embed(tf.zeros([64, 64, 3]) as unknown as tf.Tensor4D)).toThrow(ShapeError)
    expect(() => embedder.embed(tf.zeros([1, 16, 16, 3]))).toThrow(ShapeError)
    expect(() => embedder.embed(tf.zeros([1, 64, 64, 1]))).toThrow(ShapeError)
    expect(() => embedder.embed(tf.zeros([1, 64, 64, 3], 'int32'))).toThrow(ShapeError)
  })

  it('throws: after dispose, and without an embedder', async () => {
    const images = tf.zeros([1, 64, 64, 3]) as tf.Tensor4D
    const other = await loadEmbedder()
    other.dispose()
    other.dispose()
    expect(() => other.embed(images)).toThrow(/disposed/)
    embedder.embed(images).dispose()
    embedder.dispose()
    expect(() => embed(images)).toThrow(ValueError)
    embedder = await loadEmbedder()
    await useBackend('cpu')
    expect(() => embedder.embed(images)).toThrow(/backend/)
    await useBackend('wasm')
    images.dispose()
  })

  it('value: as the same network in stock operations on a plainly resampled picture', () => {
    const size = 120
    const picture = smoothPicture(size, 4)
    tf.tidy(() => {
      const value = embedder.embed(tf.tensor4d(picture, [1, size, size, 3])).dataSync()
      const reference = referenceNetwork()(
        tf.tensor4d(referenceChip(picture, size), [1, 150, 150, 3]),
      ).dataSync()
      expect(distance(value, reference)).toBeLessThan(1e-3)
    })
  })

  it('gradient: as that of tfjs through the stock operations', () => {
    tf.tidy(() => {
      const network = referenceNetwork()
      const size = 120
      const picture = tf.tensor4d(smoothPicture(size, 5), [1, size, size, 3])
      const weights = tf.tensor2d(
        Float32Array.from({ length: 128 }, (_, i) => Math.cos(i)),
        [1, 128],
      )
      // A uniform change of a colour changes the chip by just as much.
      const tint = tf.tensor1d([0, 0, 0])
      const ours = tf.grad((t: tf.Tensor) =>
        tf.sum(tf.mul(embedder.embed(tf.add(picture, t) as tf.Tensor4D), weights)),
      )(tint)
      const chip = tf.tensor4d(referenceChip(picture.dataSync() as Float32Array, size), [1, 150, 150, 3])
      const stock = tf.grad((t: tf.Tensor) =>
        tf.sum(tf.mul(network(tf.add(chip, t) as tf.Tensor4D), weights)),
      )(tint)
      const [a, b] = [ours.dataSync(), stock.dataSync()]
      expect(distance(a, b)).toBeLessThan(1e-2 * distance(b, [0, 0, 0]))
    })
  })

  it('gradient: central differences along smooth directions', async () => {
    const size = 64
    const base = tf.tensor4d(smoothPicture(size, 6), [1, size, size, 3])
    const patterns = tf.stack(
      [7, 8, 9, 10].map((seed) => tf.sub(tf.tensor(smoothPicture(size, seed), [size * size * 3]), 0.5)),
    ) as tf.Tensor2D
    const f = (z: tf.Tensor) => {
      const change = tf.matMul(tf.reshape(z, [1, 4]), patterns)
      return embedder.embed(tf.add(base, tf.reshape(change, base.shape)) as tf.Tensor4D)
    }
    const z = tf.tensor1d([0.1, -0.2, 0.15, 0.05])
    // A larger step crosses kinks of the relus: at 0.01 the difference is off by up to a fifth, at 0.001 by 3 %.
    await checkGradient(f, [z], { step: 1e-3, relativeTolerance: 0.05, absoluteTolerance: 0.03 })
    tf.dispose([base, patterns, z])
  })

  it('memory: no tensor is left behind', async () => {
    const images = tf.tensor4d(smoothPicture(64, 1), [1, 64, 64, 3])
    await expectNoLeak(() => embedder.embed(images).dispose())
    const f = tf.grad((x: tf.Tensor) => tf.sum(embedder.embed(x as tf.Tensor4D)))
    await expectNoLeak(() => f(images).dispose())
    images.dispose()
  })

  it('value: one person is nearer than another', async () => {
    const people: Float32Array[][] = []
    for (const { picture, landmarks } of await demoFaces()) {
      const [{ image }, small] = [alignFace(picture, landmarks), scaled(picture, 0.5)]
      const other = alignFace(
        small,
        ndarray(
          landmarks.data.map((value) => value / 2),
          [68, 2],
        ),
      ).image
      // The same face mirrored, of half the resolution, and darker.
      const changed = tf.mul(tf.reverse(other, 1), 0.6)
      const batch = tf.stack([image, changed]) as tf.Tensor4D
      const values = (await embedder.embed(batch).array()) as number[][]
      people.push(values.map((row) => Float32Array.from(row)))
    }
    const same = people.map(([first, second]) => distance(first, second))
    const others = people.flatMap(([first], i) =>
      people.flatMap(([, second], j) => (i === j ? [] : [distance(first, second)])),
    )
    expect(Math.max(...same)).toBeLessThan(0.3)
    expect(Math.min(...others)).toBeGreaterThan(0.6)
  })
})
