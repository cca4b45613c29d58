import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import { depthwiseFilterGradient } from './depthwise-filter-gradient.js'
import { depthwiseInputGradient } from './depthwise-input-gradient.js'
import { convFilterGradient } from './filter-gradient.js'
import { convForward } from './forward.js'
import { convGeometry, type ConvAttributes, type ConvGeometry } from './geometry.js'
import { convInputGradient } from './input-gradient.js'
import { suitsUnits, unitConvFilterGradient, unitConvForward, unitConvInputGradient } from './unit-conv.js'
import { suitsWinograd, winogradFilterGradient, winogradForward, winogradInputGradient } from './winograd.js'
import { finishCode, supportsFinish } from '../matmul/finish.js'
import { registerGpuProducts } from '../matmul/matmul-kernels.js'
import { replaceGpuKernel } from '../matmul/replace.js'

const isPlain = (attributes: ConvAttributes, ...tensors: TensorInfo[]) =>
  (attributes.dataFormat ?? 'NHWC') === 'NHWC' &&
  tensors.every(({ dtype, shape }) => dtype === 'float32' && shape.every((size) => size > 0))

const onUnits = (backend: KernelBackend, g: ConvGeometry) =>
  (backend as GpuEngineBackend).mixed && suitsUnits(g)

const forward: typeof convForward = (backend, x, filter, g, finish) =>
  onUnits(backend, g)
    ? unitConvForward(backend, x, filter, g, finish)
    : (suitsWinograd(backend, x.shape[0], g) ? winogradForward : convForward)(backend, x, filter, g, finish)

const inputGradient: typeof convInputGradient = (backend, dy, filter, g) =>
  onUnits(backend, g) && g.inChannels % 8 === 0
    ? unitConvInputGradient(backend, dy, filter, g)
    : (suitsWinograd(backend, dy.shape[0], g) ? winogradInputGradient : convInputGradient)(
        backend,
        dy,
        filter,
        g,
      )

const filterGradient: typeof convFilterGradient = (backend, x, dy, g) =>
  onUnits(backend, g)
    ? unitConvFilterGradient(backend, x, dy, g)
    : (suitsWinograd(backend, x.shape[0], g) ? winogradFilterGradient : convFilterGradient)(backend, x, dy, g)

interface FusedAttributes extends ConvAttributes {
  activation?: string
  leakyreluAlpha?: number
}

/** Registers convolution kernels for the WebGPU backend: `Conv2D`, `FusedConv2D`, `Conv2DBackpropInput` and `Conv2DBackpropFilter`
 * and those of depthwise convolutions, of float32 in the layout NHWC, `BatchMatMul` and `_FusedMatMul` of float32. */
export function registerGpuConvolutions(): void {
  registerGpuProducts()
  replaceGpuKernel<'x' | 'filter', ConvAttributes>(
    'Conv2D',
    ({ inputs: { x, filter }, attrs }) => isPlain(attrs, x, filter),
    ({ inputs: { x, filter }, attrs, backend }) =>
      forward(backend, x, filter, convGeometry(x.shape, filter.shape, attrs)),
  )
  replaceGpuKernel<'x' | 'filter' | 'bias' | 'preluActivationWeights', FusedAttributes>(
    'FusedConv2D',
    ({ inputs: { x, filter, ...finish }, attrs }) =>
      isPlain(attrs, x, filter) && supportsFinish({ ...attrs, ...finish }, filter.shape[3]),
    ({ inputs: { x, filter, ...finish }, attrs, backend }) =>
      forward(
        backend,
        x,
        filter,
        convGeometry(x.shape, filter.shape, attrs),
        finishCode({ ...attrs, ...finish }, filter.shape[3]),
      ),
  )
  replaceGpuKernel<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>(
    'Conv2DBackpropInput',
    ({ inputs: { dy, filter }, attrs }) => isPlain(attrs, dy, filter),
    ({ inputs: { dy, filter }, attrs, backend }) =>
      inputGradient(backend, dy, filter, convGeometry(attrs.inputShape, filter.shape, attrs)),
  )
  replaceGpuKernel<'x' | 'dy', ConvAttributes & { filterShape: number[] }>(
    'Conv2DBackpropFilter',
    ({ inputs: { x, dy }, attrs }) => isPlain(attrs, x, dy),
    ({ inputs: { x, dy }, attrs, backend }) =>
      filterGradient(backend, x, dy, convGeometry(x.shape, attrs.filterShape, attrs)),
  )
  replaceGpuKernel<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>(
    'DepthwiseConv2dNativeBackpropInput',
    ({ inputs: { dy, filter }, attrs }) => isPlain(attrs, dy, filter),
    ({ inputs: { dy, filter }, attrs, backend }) =>
      depthwiseInputGradient(backend, dy, filter, convGeometry(attrs.inputShape, filter.shape, attrs, true)),
  )
  replaceGpuKernel<'x' | 'dy', ConvAttributes & { filterShape: number[] }>(
    'DepthwiseConv2dNativeBackpropFilter',
    ({ inputs: { x, dy }, attrs }) => isPlain(attrs, x, dy),
    ({ inputs: { x, dy }, attrs, backend }) =>
      depthwiseFilterGradient(backend, x, dy, convGeometry(x.shape, attrs.filterShape, attrs, true)),
  )
}
