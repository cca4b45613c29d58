import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { convolutionTaps, gatherConvolution, isClamping, type ClampingActivation } from './convolution.js'
import { replaceWasmKernel, runWasmKernel } from './wasm-kernel.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  /** tfjs-layers gives `null` where it was told nothing. */
  dilations?: [number, number] | number | null
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type FusedInputs = 'x' | 'filter' | 'bias' | 'preluActivationWeights'

interface FusedAttributes extends Attributes {
  activation: string
  leakyreluAlpha?: number
}

/** Kernels of the activations that a convolution can be followed by, but for those that are part of it. */
const ACTIVATIONS: Record<string, string> = {
  elu: 'Elu',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
  sigmoid: 'Sigmoid',
}

/** Replaces Conv2D and FusedConv2D of the WASM backend: XNNPACK takes longer, and much longer for a filter that it has not seen
 * before, as every filter is in a training step. */
export function registerConv2d(): void {
  replaceWasmKernel<'x' | 'filter', Attributes>('Conv2D', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    if (attrs.dataFormat !== 'NHWC') return stock(args)
    return convolve(backend, inputs, attrs, 'linear')
  })
  replaceWasmKernel<FusedInputs, FusedAttributes>('FusedConv2D', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    const { activation, dataFormat, leakyreluAlpha } = attrs
    const bias: TensorInfo | undefined = inputs.bias
    const next = ACTIVATIONS[activation]
    const clamping = isClamping(activation) ? activation : undefined
    const known = clamping ?? next
    const fits = !bias || (bias.shape.length === 1 && bias.shape[0] === inputs.filter.shape[3])
    if (dataFormat !== 'NHWC' || !known || !fits) return stock(args)
    const x = convolve(backend, inputs, attrs, clamping ?? 'linear')
    if (!next) return x
    const operands: Record<string, TensorInfo> =
      next === 'Prelu' ? { x, alpha: inputs.preluActivationWeights } : { x }
    const result = runWasmKernel(backend, next, operands, { alpha: leakyreluAlpha })
    backend.disposeData(x.dataId)
    return result
  })
}

function convolve(
  backend: BackendWasm,
  { x, filter, bias }: { x: TensorInfo; filter: TensorInfo; bias?: TensorInfo },
  { strides, dilations, pad, dimRoundingMode }: Attributes,
  activation: ClampingActivation,
): TensorInfo {
  const info = backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filter.shape as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
  )
  const { outHeight: height, outWidth: width, outChannels, strideHeight, strideWidth } = info
  const out = backend.makeOutput(info.outShape, 'float32')
  const row = width * outChannels
  const grid = { height, width, first: 0, picture: height * row, row, column: outChannels }
  const taps = convolutionTaps(info)
  gatherConvolution(backend, {
    x,
    filter,
    direction: 'forward',
    taps,
    strideHeight,
    strideWidth,
    out,
    grid,
    bias,
    activation,
  })
  return out
}
