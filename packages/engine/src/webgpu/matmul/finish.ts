import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import { keepNaN } from '../nan.js'

/** What is done with results before they are stored: a bias for each column, and an activation. */
export interface GpuFinish {
  bias?: TensorInfo
  activation?: string | null
  preluActivationWeights?: TensorInfo
  leakyreluAlpha?: number
}

const EXPRESSIONS: Record<string, string> = {
  linear: 'value',
  relu: 'max(value, vec4<f32>())',
  relu6: 'clamp(value, vec4<f32>(), vec4<f32>(6.0))',
  elu: 'select(exp(value) - 1.0, value, value >= vec4<f32>())',
  sigmoid: '1.0 / (1.0 + exp(-value))',
  leakyrelu: 'select(uniforms.alpha * value, value, value >= vec4<f32>())',
  prelu: 'select(slopeOf(column) * value, value, value >= vec4<f32>())',
}

/** Whether a tensor has one number, or one for each column in its last axis. */
const isRow = (tensor: TensorInfo | undefined, columns: number) => {
  if (tensor === undefined) return true
  const size = util.sizeFromShape(tensor.shape)
  return size === 1 || (size === columns && tensor.shape.at(-1) === columns)
}

export function supportsFinish(finish: GpuFinish, columns: number): boolean {
  const { bias, preluActivationWeights, activation } = finish
  return (
    isRow(bias, columns) &&
    isRow(preluActivationWeights, columns) &&
    (activation === 'prelu') === (preluActivationWeights !== undefined) &&
    (activation ?? 'linear') in EXPRESSIONS
  )
}

const kindOf = (tensor: TensorInfo | undefined) =>
  tensor === undefined ? '' : util.sizeFromShape(tensor.shape) === 1 ? 'scalar' : 'row'

/** Inputs and WGSL of `finish(value, column)`; programs have the uniforms `columns` and `alpha`. */
export function finishCode(finish: GpuFinish, columns: number) {
  const { bias, preluActivationWeights: slopes, activation, leakyreluAlpha = 0.2 } = finish
  const inputs: string[] = []
  const tensors: TensorInfo[] = []
  const row = (name: string, tensor: TensorInfo) => {
    inputs.push(`${name}: f32`)
    tensors.push(tensor)
    if (util.sizeFromShape(tensor.shape) === 1) {
      return `fn ${name}Of(column: u32) -> vec4<f32> { return vec4<f32>(${name}[0]); }`
    }
    const at = (lane: number) =>
      `${name}[${columns % 4 === 0 ? `column + ${lane}u` : `min(column + ${lane}u, uniforms.columns - 1u)`}]`
    return `fn ${name}Of(column: u32) -> vec4<f32> {
      return vec4<f32>(${[0, 1, 2, 3].map(at).join(', ')});
    }`
  }
  const functions: string[] = []
  if (bias) functions.push(row('bias', bias))
  if (slopes) functions.push(row('slope', slopes))
  const name = activation ?? 'linear'
  const expression = name === 'linear' ? 'value' : keepNaN('value', EXPRESSIONS[name], 'vec4<f32>')
  functions.push(`fn finish(sum: vec4<f32>, column: u32) -> vec4<f32> {
    let value = sum${bias ? ' + biasOf(column)' : ''};
    return ${expression};
  }`)
  return {
    key: [activation ?? 'linear', ...[bias, slopes].map(kindOf), columns % 4 === 0].join('_'),
    inputs,
    tensors,
    code: functions.join('\n'),
    alpha: leakyreluAlpha,
  }
}

/** A program's inputs, uniforms and functions for what happens to results. */
export type GpuFinishCode = ReturnType<typeof finishCode>

/** For gradients and partial sums: nothing happens to them. */
export const plainFinish: GpuFinishCode = finishCode({}, 4)
