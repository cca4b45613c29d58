// A backbone of one's own: anything that makes features of pictures. It is trained, saved, loaded and run like those that come along.
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import {
  createRegressor,
  foldRegressor,
  loadRegressor,
  saveRegressor,
  type Backbone,
} from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { renderedBatches, train } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

/** Patches of 8 x 8 pixels, then blocks that mix places (depthwise) and channels (pointwise), as in ConvMixer (Trockman, Kolter 2022). */
export const mixerBackbone = (width = 64, depth = 4): Backbone => ({
  // The name is stored with the weights: a file of another network is refused.
  name: `mixer-${width}-${depth}`,
  build(images, { nextSeed }) {
    const apply = (layer: { apply(x: never): unknown }, x: unknown) =>
      layer.apply(x as never) as tfl.SymbolicTensor
    // `undefined`: weights come from a file, any will do.
    const random = () => {
      const seed = nextSeed()
      return seed === undefined ? tfl.initializers.zeros() : tfl.initializers.heNormal({ seed })
    }
    // Every layer with weights has a name: they are stored under it.
    const settle = (x: tfl.SymbolicTensor, name: string) =>
      apply(
        tfl.layers.activation({ name: `${name}_relu`, activation: 'relu' }),
        apply(tfl.layers.batchNormalization({ name: `${name}_bn` }), x),
      )
    const patches = tfl.layers.conv2d({
      name: 'patches',
      filters: width,
      kernelSize: 8,
      strides: 8,
      useBias: false,
      kernelInitializer: random(),
    })
    let x = settle(apply(patches, images), 'patches')
    for (let i = 0; i < depth; i++) {
      const places = tfl.layers.depthwiseConv2d({
        name: `places${i}`,
        kernelSize: 5,
        padding: 'same',
        useBias: false,
        depthwiseInitializer: random(),
      })
      const channels = tfl.layers.conv2d({
        name: `channels${i}`,
        filters: width,
        kernelSize: 1,
        useBias: false,
        kernelInitializer: random(),
      })
      const mixed = apply(tfl.layers.add({ name: `sum${i}` }), [x, settle(apply(places, x), `places${i}`)])
      x = settle(apply(channels, mixed), `channels${i}`)
    }
    return x
  },
})

/** Trains the backbone on rendered faces, stores it, loads it again; returns losses, and how far the loaded network is from the trained one. */
export async function swapTheBackbone(
  model: MorphableModel,
  { iterations = 100, size = 64, batch = 8, backbone = mixerBackbone() } = {},
) {
  const regressor = createRegressor({
    backbone,
    layout: model.layout,
    inputSize: size,
    faceModel: model.name,
  })
  const synthesizer = createFaceSynthesizer(model, { size, batch, seed: 1 })
  const losses: number[] = []
  await train({
    regressor,
    model,
    rendered: renderedBatches(synthesizer),
    iterations,
    learningRate: 2e-3,
    onProgress: ({ loss }) => void losses.push(loss),
  })
  const bytes = await saveRegressor(regressor)
  // The file says which backbone it wants; a foreign one has to be handed in.
  const loaded = await loadRegressor(bytes, { backbone, for: model })
  const fast = foldRegressor(loaded)
  const batch1 = synthesizer.next()
  const difference = tf.tidy(() => {
    const [a, b] = [regressor, fast].map((network) => network.outputs(batch1.image))
    return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]
  })
  tf.dispose(batch1 as unknown as tf.TensorContainer)
  synthesizer.dispose()
  for (const network of [regressor, loaded, fast]) network.dispose()
  return { losses, difference, megabytes: bytes.length / 1e6 }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { backend } = await initEngine({ backend: 'wasm' })
  const { losses, difference, megabytes } = await swapTheBackbone(await loadBaseModel())
  console.log(`on ${backend}: loss ${losses[0].toFixed(2)} at first, ${losses.at(-1)!.toFixed(2)} at last`)
  console.log(
    `${megabytes.toFixed(2)} MB; loaded and folded it gives the same but for ${difference.toExponential(1)}`,
  )
  process.exit(0)
}
