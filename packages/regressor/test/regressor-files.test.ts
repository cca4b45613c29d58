import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelFormatError, readSafetensors, writeSafetensors } from '@facekit/core'
import { layersWeights } from '@facekit/engine'
import {
  createRegressor,
  exportRegressor,
  foldRegressor,
  loadBackboneWeights,
  loadRegressor,
  resnetBackbone,
  saveRegressor,
  type FaceRegressor,
} from '@facekit/regressor'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyBackbone } from './tiny-backbone.js'

const layout = { identity: 5, expression: 3, albedo: 4 }
const options = { backbone: tinyBackbone, layout, inputSize: 32, seed: 3 }
const model = { name: 'mine', layout }
const images = () => tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 5) as tf.Tensor4D
const outputs = (regressor: FaceRegressor) =>
  tf.tidy(() => Array.from(regressor.outputs(images()).dataSync()))

let folder: string
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-regressor-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('saveRegressor, loadRegressor', () => {
  it('value: a safetensors file gives the same regressor', async () => {
    const regressor = createRegressor({
      ...options,
      faceModel: 'mine',
      expressionRange: [0, 1],
      identityShare: 0.75,
    })
    tf.dispose(regressor.outputs(images(), { training: true }))
    const bytes = await saveRegressor(regressor, { metadata: { licence: 'MIT' } })
    const again = await loadRegressor(bytes, { backbone: tinyBackbone, for: model })
    expect(outputs(again)).toEqual(outputs(regressor))
    expect(again.faceModel).toBe('mine')
    expect(again.expressionRange).toEqual([0, 1])
    expect(again.identityShare).toBe(0.75)
    expect(foldRegressor(again).identityShare).toBe(0.75)
    expect(again.layout).toEqual(layout)
    expect(await saveRegressor(again, { metadata: { licence: 'MIT' } })).toEqual(bytes)
    const half = await saveRegressor(regressor, { precision: 'float16' })
    expect(half.length).toBeLessThan(0.8 * bytes.length)
  })

  it('value: a folder with model.json gives the same regressor, its backbone included', async () => {
    const regressor = createRegressor({ ...options, faceModel: 'mine' })
    await exportRegressor(regressor, join(folder, 'exported'))
    const again = await loadRegressor(join(folder, 'exported/model.json'), { for: model })
    expect(outputs(again)).toEqual(outputs(regressor))
    expect(again.faceModel).toBe('mine')
  })

  it('throws: a share of identity that is none', async () => {
    expect(() => createRegressor({ ...options, identityShare: 1.5 })).toThrow(
      'createRegressor: identityShare',
    )
    const { metadata, tensors } = readSafetensors(await saveRegressor(createRegressor(options)), 'test')
    const bytes = writeSafetensors({ metadata: { ...metadata, identityShare: 'much' }, tensors })
    await expect(loadRegressor(bytes, { backbone: tinyBackbone })).rejects.toThrow(
      /its identityShare is damaged/,
    )
  })

  it('throws: a file for another layout, model, backbone or format says what differs', async () => {
    const bytes = await saveRegressor(createRegressor({ ...options, faceModel: 'mine' }))
    const load = (more: object) => loadRegressor(bytes, { backbone: tinyBackbone, ...more })
    await expect(load({ for: { name: 'big', layout: { ...layout, identity: 80 } } })).rejects.toThrow(
      /it gives 5 identity coefficients of "mine", face model "big" has 80 identity/,
    )
    await expect(load({ for: { name: 'other', layout } })).rejects.toThrow(
      /of "mine", not of face model "other"/,
    )
    await expect(load({ backbone: 'mobile' })).rejects.toThrow(/backbone "tiny", not "mobile"/)
    await expect(load({ backbone: undefined })).rejects.toThrow(/pass it as options.backbone/)
    await expect(loadRegressor(new Uint8Array(7))).rejects.toThrow(ModelFormatError)
    await expect(loadRegressor(bytes.slice(0, -8), { backbone: tinyBackbone })).rejects.toThrow(
      ModelFormatError,
    )
    const foreign = await import('@facekit/engine').then(({ saveLayersWeights }) =>
      saveLayersWeights(createRegressor(options).model),
    )
    await expect(loadRegressor(foreign)).rejects.toThrow(/expected "facekit-regressor 1"/)
    await expect(loadRegressor(join(folder, 'none.safetensors'))).rejects.toThrow(/cannot read/)
    const before = tf.memory().numTensors
    await expect(loadRegressor(bytes.slice(0, -8), { backbone: tinyBackbone })).rejects.toThrow(
      /truncated|damaged/,
    )
    expect(tf.memory().numTensors).toBe(before)
  })

  it('throws: a layout that the file has no weights for, before memory is taken for it', async () => {
    const bytes = await saveRegressor(createRegressor(options))
    const { metadata, tensors } = readSafetensors(bytes)
    const described = { ...metadata, layout: JSON.stringify({ ...layout, identity: 999_999 }) }
    const { numTensors, numBytes } = tf.memory()
    await expect(
      loadRegressor(writeSafetensors({ metadata: described, tensors: new Map(tensors) }), {
        backbone: tinyBackbone,
      }),
    ).rejects.toThrow(/take \d+ weights, there are \d+ numbers; the file is damaged/)
    expect(tf.memory()).toMatchObject({ numTensors, numBytes })
  })

  it('throws: damaged model.json', async () => {
    const regressor = createRegressor(options)
    await exportRegressor(regressor, join(folder, 'damaged'))
    const file = join(folder, 'damaged/model.json')
    const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const tryIt = async (change: object) => {
      await writeFile(file, JSON.stringify({ ...json, ...change }))
      return loadRegressor(file)
    }
    await expect(tryIt({ modelTopology: undefined })).rejects.toThrow(/no modelTopology/)
    await expect(tryIt({ weightsManifest: [{ paths: ['../x.bin'], weights: [] }] })).rejects.toThrow(
      ModelFormatError,
    )
    await expect(tryIt({ weightsManifest: [{ paths: [], weights: [] }] })).rejects.toThrow(ModelFormatError)
    const topology = JSON.stringify(json.modelTopology)
    const changed = (from: string, to: string) => {
      expect(topology).toContain(from)
      return { modelTopology: JSON.parse(topology.replace(from, to)) as object }
    }
    // tfjs would not come back from the first two, and take 8 GB for the last.
    for (const [from, to, message] of [
      ['{"name":"images"', '{"name":-1', /a layer has no name/],
      ['[[["b_conv",0,0,{}]]]', '[]', /"feature_pool" comes from none/],
      ['[[["b_conv",0,0,{}]]]', '[[["parameters",0,0,{}]]]', /comes from one that is not there/],
      ['"units":', '"units":1e9,"before":', /no weight is of units/],
    ] as const)
      await expect(tryIt(changed(from, to))).rejects.toThrow(message)
    const odd = { ...(json.userDefinedMetadata as object), layout: { toString: 1, valueOf: 1 } }
    await expect(tryIt({ userDefinedMetadata: odd })).rejects.toThrow(ModelFormatError)
    await expect(tryIt({ userDefinedMetadata: {} })).rejects.toThrow(ModelFormatError)
    await writeFile(file, '{')
    await expect(loadRegressor(file)).rejects.toThrow(/it is no JSON/)
  })
})

/** ResNet50 as keras.applications builds it, narrow: biases everywhere, names old or new, BGR of 0..255. */
function kerasResnet(width: number, old: boolean): tfl.LayersModel {
  let seed = 1
  const init = (deviation: number, mean = 0) =>
    tfl.initializers.randomNormal({ mean, stddev: deviation, seed: seed++ })
  const name = (stage: number, block: number, branch: number, kind: 'conv' | 'bn') =>
    old
      ? `${kind === 'conv' ? 'res' : 'bn'}${stage}${'abcdef'[block - 1]}_branch${['1', '2a', '2b', '2c'][branch]}`
      : `conv${stage}_block${block}_${branch}_${kind}`
  type Node = tfl.SymbolicTensor
  const conv = (x: Node, name: string, filters: number, kernelSize: number, strides = 1, padding = 'valid') =>
    tfl.layers
      .conv2d({
        name,
        filters,
        kernelSize,
        strides,
        padding: padding as 'valid',
        kernelInitializer: init(Math.sqrt(1 / (kernelSize * kernelSize * x.shape[3]!))),
        biasInitializer: init(0.3),
      })
      .apply(x) as Node
  const norm = (x: Node, name: string, relu = true) => {
    const y = tfl.layers
      .batchNormalization({
        name,
        epsilon: 1.001e-5,
        gammaInitializer: init(0.1, 0.8),
        betaInitializer: init(0.1),
        movingMeanInitializer: init(0.2),
        movingVarianceInitializer: init(0.1, name.endsWith('conv1') || name === 'conv1_bn' ? 4000 : 1),
      })
      .apply(x) as Node
    return relu ? (tfl.layers.activation({ name: `${name}_relu`, activation: 'relu' }).apply(y) as Node) : y
  }
  const input = tfl.input({ shape: [64, 64, 3] })
  let x = tfl.layers.zeroPadding2d({ padding: 3 }).apply(input) as Node
  x = norm(conv(x, old ? 'conv1' : 'conv1_conv', width, 7, 2), old ? 'bn_conv1' : 'conv1_bn')
  x = tfl.layers.zeroPadding2d({ padding: 1 }).apply(x) as Node
  x = tfl.layers.maxPooling2d({ poolSize: 3, strides: 2 }).apply(x) as Node
  for (const [stage, count] of [3, 4, 6, 3].entries()) {
    for (let block = 1; block <= count; block++) {
      const filters = width * 2 ** stage
      const strides = block === 1 && stage > 0 ? 2 : 1
      const n = (branch: number, kind: 'conv' | 'bn') => name(stage + 2, block, branch, kind)
      let shortcut = x
      if (block === 1) shortcut = norm(conv(x, n(0, 'conv'), 4 * filters, 1, strides), n(0, 'bn'), false)
      let y = norm(conv(x, n(1, 'conv'), filters, 1, strides), n(1, 'bn'))
      y = norm(conv(y, n(2, 'conv'), filters, 3, 1, 'same'), n(2, 'bn'))
      y = norm(conv(y, n(3, 'conv'), 4 * filters, 1), n(3, 'bn'), false)
      x = tfl.layers.add().apply([shortcut, y]) as Node
      x = tfl.layers.activation({ activation: 'relu' }).apply(x) as Node
    }
  }
  x = tfl.layers.globalAveragePooling2d({}).apply(x) as Node
  x = tfl.layers.dense({ name: old ? 'fc1000' : 'predictions', units: 3 }).apply(x) as Node
  return tfl.model({ inputs: input, outputs: x })
}

async function writeKeras(network: tfl.LayersModel, target: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  await mkdir(target, { recursive: true })
  const weights = layersWeights(network)
  const specs = weights.map(({ name, value }) => ({ name, shape: value.shape, dtype: 'float32' }))
  const data = Buffer.concat(
    weights.map(({ value }) => Buffer.from(Float32Array.from(value.dataSync()).buffer)),
  )
  const half = Math.floor(data.length / 2)
  await writeFile(join(target, 'group1-shard1of2.bin'), data.subarray(0, half))
  await writeFile(join(target, 'group1-shard2of2.bin'), data.subarray(half))
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin']
  const json = { modelTopology: {}, weightsManifest: [{ paths, weights: specs }] }
  await writeFile(join(target, 'model.json'), JSON.stringify(json))
}

describe('loadBackboneWeights', () => {
  it.each([
    ['new', false],
    ['old', true],
  ])('value: features are those of the Keras network, %s names', async (kind, old) => {
    const keras = kerasResnet(4, old)
    const file = join(folder, `keras-${kind}`)
    await writeKeras(keras, file)
    const backbone = resnetBackbone({ depth: 50, width: 4 })
    const regressor = createRegressor({ backbone, layout, inputSize: 64 })
    const before = tf.memory().numTensors
    const unused = await loadBackboneWeights(regressor, join(file, 'model.json'))
    expect(tf.memory().numTensors).toBe(before)
    expect(unused).toEqual(
      old ? ['fc1000/kernel', 'fc1000/bias'] : ['predictions/kernel', 'predictions/bias'],
    )
    tf.tidy(() => {
      const pictures = tf.randomUniform([2, 64, 64, 3], 0, 1, 'float32', 7)
      // As keras.applications.resnet50.preprocess_input: BGR, minus the mean, no scale.
      const bgr = tf.sub(tf.reverse(tf.mul(pictures, 255), 3), [103.939, 116.779, 123.68])
      const features = (network: tfl.LayersModel, x: tf.Tensor, layer: tfl.SymbolicTensor) =>
        tfl.model({ inputs: network.inputs, outputs: layer }).predict(x) as tf.Tensor
      const last = (network: tfl.LayersModel) => network.layers.at(-2)!.output as tfl.SymbolicTensor
      const [a, b] = [
        features(keras, bgr, last(keras)),
        features(regressor.model, pictures, last(regressor.model)),
      ]
      expect(tf.max(a).dataSync()[0]).toBeGreaterThan(0.1)
      expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-4 * tf.max(a).dataSync()[0])
    })
    regressor.dispose()
  })

  it('throws: another depth, a damaged file; then nothing changes', async () => {
    const file = join(folder, 'keras-new/model.json')
    const regressor = createRegressor({
      backbone: resnetBackbone({ depth: 50, width: 8 }),
      layout,
      inputSize: 64,
    })
    const first = () => Array.from(regressor.variables[0].dataSync().slice(0, 8))
    const before = first()
    await expect(loadBackboneWeights(regressor, file)).rejects.toThrow(
      /"conv1_conv\/kernel" is \[7, 7, 3, 4\], "resnet50-8" needs \[7, 7, 3, 8\]/,
    )
    expect(first()).toEqual(before)
    await writeFile(join(folder, 'keras-new/group1-shard2of2.bin'), new Uint8Array(16))
    await expect(loadBackboneWeights(regressor, file)).rejects.toThrow(ModelFormatError)
    regressor.dispose()
  })
})
