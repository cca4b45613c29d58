import { ModelFormatError } from '@facekit/core'
import { layersWeights } from '@facekit/engine'
import { dispose, io, mul, reverse, sub, tidy, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core'
import type { FaceRegressor } from './face-regressor.js'
import { readModelJson } from './model-json.js'

/** Layers that are not the backbone's. */
const OWN_LAYERS = ['input_scale', 'parameters']
/** Keras' unit of pictures in that of `resnetBackbone`. */
const UNIT = 255 * 0.25

/** Loads ImageNet weights of `keras.applications.ResNet50` (v1), converted to tfjs, into the backbone of a regressor; the head stays as it is.
 *
 * Names are those of Keras 2.3 and later (`conv2_block1_1_conv`) or before (`res2a_branch2a`); for depth 18 and 34 the same ones. Keras' networks
 * take BGR of 0..255 minus ImageNet's mean: the first filters are turned round and scaled, for pictures as `resnetBackbone` normalises them. Biases
 * of convolutions go into the means of the normalisations behind them. Outputs are equal but for rounding.
 *
 * @param source - path or address of `model.json`; the weights lie beside it, in float32 or quantised
 * @returns names of weights of the file that were not needed: those of its classifier
 * @throws {ModelFormatError} when the file cannot be read, is damaged, or a weight is missing or of another shape; then nothing has changed
 * @example
 * const regressor = createRegressor({ backbone: 'resnet50', layout: model.layout })
 * await loadBackboneWeights(regressor, 'resnet50/model.json')
 */
export async function loadBackboneWeights(regressor: FaceRegressor, source: string | URL): Promise<string[]> {
  const who = `loadBackboneWeights: ${String(source)}`
  const { specs, weights } = await readModelJson(who, source)
  let given: NamedTensorMap
  try {
    given = io.decodeWeights(weights, specs)
  } catch (error) {
    throw new ModelFormatError(`${who}: its weights are damaged (${(error as Error).message})`, {
      cause: error,
    })
  }
  const known = new Map(Object.entries(given).map(([name, tensor]) => [ownName(name), tensor]))
  const targets = layersWeights(regressor.model).filter(
    ({ name }) => !OWN_LAYERS.includes(name.split('/')[0]),
  )
  const used = new Set<string>()
  const made: Tensor[] = []
  try {
    const find = (name: string, shape: readonly number[]) => {
      const tensor = known.get(name)
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        const found = tensor === undefined ? 'is missing' : `is [${tensor.shape.join(', ')}]`
        throw new ModelFormatError(
          `${who}: weight "${name}" ${found}, "${regressor.backbone}" needs [${shape.join(', ')}]; is it a ResNet of the same depth?`,
        )
      }
      used.add(name)
      return tensor
    }
    const first = targets[0]?.name
    for (const { name, value } of targets) {
      const tensor = find(name, value.shape)
      made.push(tidy(() => converted(name, tensor, name === first, (bias) => known.get(bias))))
    }
    for (const [i, target] of targets.entries()) target.write(made[i])
  } finally {
    dispose([given, made])
  }
  const biases = new Set([...used].map(biasInFront))
  return [...known.keys()].filter((name) => !used.has(name) && !biases.has(name))
}

/** Name of the bias of the convolution in front of a normalisation. */
const biasInFront = (name: string) => name.replace(/bn\/moving_mean$/, 'conv/bias')

function converted(
  name: string,
  tensor: Tensor,
  isFirst: boolean,
  find: (name: string) => Tensor | undefined,
): Tensor {
  if (isFirst) return mul(reverse(tensor, 2), UNIT)
  const bias = name.endsWith('/moving_mean') ? find(biasInFront(name)) : undefined
  return bias ? sub(tensor, bias) : tensor.clone()
}

const BRANCHES: Record<string, number> = { branch1: 0, branch2a: 1, branch2b: 2, branch2c: 3 }

/** Name of a weight in our network: `layer/variable`, old names of Keras made new. */
function ownName(name: string): string {
  const [layer, variable] = name.replace(/:\d+$/, '').split('/').slice(-2)
  const old = /^(res|bn)(\d)([a-z])_(branch1|branch2[abc])$/.exec(layer)
  if (old) {
    const [, kind, stage, block, branch] = old
    const number = block.charCodeAt(0) - 96
    return `conv${stage}_block${number}_${BRANCHES[branch]}_${kind === 'res' ? 'conv' : 'bn'}/${variable}`
  }
  const stem: Record<string, string> = { conv1: 'conv1_conv', bn_conv1: 'conv1_bn' }
  return `${stem[layer] ?? layer}/${variable}`
}
