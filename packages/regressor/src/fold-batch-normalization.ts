import { add, div, mul, reshape, sqrt, sub, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core'
import { LayersModel } from '@tensorflow/tfjs-layers'

type Layer = LayersModel['layers'][number]

/** A layer as `getConfig` describes it. */
interface LayerConfig {
  name: string
  className: string
  config: Record<string, unknown>
  inboundNodes: [name: string, ...rest: unknown[]][][]
}

interface ModelConfig {
  layers: LayerConfig[]
  inputLayers: unknown[]
  outputLayers: [name: string, ...rest: unknown[]][]
}

/** The layers behind a convolution that are put into it. */
interface Fold {
  normalization?: string
  activation?: string
}

/** Makes a network whose batch normalisations are part of the convolutions in front of them, relus, too: what it takes to run, not to train.
 *
 * Works on any network of tfjs-layers; what cannot be folded stays. Outputs are the same but for rounding.
 *
 * @returns a network with variables of its own
 */
export function foldBatchNormalization(model: LayersModel): LayersModel {
  const config = structuredClone(model.getConfig()) as unknown as ModelConfig
  const folds = findFolds(config)
  const replaced = new Map<string, string>()
  for (const [convolution, { normalization, activation }] of folds) {
    if (normalization) replaced.set(normalization, convolution)
    if (activation) replaced.set(activation, convolution)
  }
  const layers = config.layers.filter(({ name }) => !replaced.has(name))
  for (const layer of layers) {
    for (const node of layer.inboundNodes) {
      for (const edge of node) edge[0] = replaced.get(edge[0]) ?? edge[0]
    }
    const fold = folds.get(layer.name)
    if (!fold) continue
    layer.config = {
      ...layer.config,
      ...(fold.normalization && { useBias: true }),
      ...(fold.activation && { activation: 'relu' }),
    }
  }
  for (const edge of config.outputLayers) edge[0] = replaced.get(edge[0]) ?? edge[0]
  const folded = LayersModel.fromConfig(
    LayersModel,
    { ...config, layers } as never,
    undefined,
    true,
  ) as LayersModel
  for (const layer of folded.layers) {
    const source = model.getLayer(layer.name)
    const fold = folds.get(layer.name)
    tidy(() => {
      const weights = source.getWeights()
      if (weights.length > 0)
        layer.setWeights(
          fold?.normalization ? foldWeights(source, model.getLayer(fold.normalization)) : weights,
        )
    })
  }
  return folded
}

/** Convolutions of which nobody but one batch normalisation or relu takes the output, and relus behind normalisations. */
function findFolds({ layers, outputLayers }: ModelConfig): Map<string, Fold> {
  const users = new Map<string, LayerConfig[]>()
  for (const layer of layers) {
    for (const [name] of layer.inboundNodes.flat()) users.set(name, [...(users.get(name) ?? []), layer])
  }
  const outputs = new Set(outputLayers.map(([name]) => name))
  /** The only layer that takes the output of this one, if there is just one. */
  const only = ({ name, inboundNodes }: LayerConfig) => {
    const found = users.get(name) ?? []
    const alone = found.length === 1 && inboundNodes.length === 1 && !outputs.has(name)
    return alone && found[0].inboundNodes.length === 1 ? found[0] : undefined
  }
  const folds = new Map<string, Fold>()
  for (const layer of layers) {
    const { className, config } = layer
    if (className !== 'Conv2D' && className !== 'DepthwiseConv2D') continue
    if (config.activation !== undefined && config.activation !== 'linear') continue
    const next = only(layer)
    const axis = next?.config.axis
    const normalizes = next?.className === 'BatchNormalization' && (axis === -1 || axis === 3)
    const activation = normalizes ? only(next) : next
    const isRelu = activation?.className === 'Activation' && activation.config.activation === 'relu'
    if (!normalizes && !isRelu) continue
    folds.set(layer.name, {
      ...(normalizes && { normalization: next.name }),
      ...(isRelu && { activation: activation.name }),
    })
  }
  return folds
}

/** `[filter, bias]` of a convolution with the moving averages behind it. */
function foldWeights(convolution: Layer, normalization: Layer): Tensor[] {
  const {
    scale = true,
    center = true,
    epsilon,
  } = normalization.getConfig() as {
    scale?: boolean
    center?: boolean
    epsilon: number
  }
  const rest = normalization.getWeights()
  const gamma = scale ? rest.shift() : undefined
  const beta = center ? rest.shift() : undefined
  const [mean, variance] = rest
  const rate = div(gamma ?? 1, sqrt(add(variance, epsilon)))
  const [filter, bias = zeros(mean.shape)] = convolution.getWeights()
  // A depthwise filter's outputs are its last two axes.
  const depthwise = convolution.getClassName() === 'DepthwiseConv2D'
  const factor = depthwise ? reshape(rate, filter.shape.slice(2)) : rate
  return [mul(filter, factor), add(mul(sub(bias, mean), rate), beta ?? 0)]
}
