import { type GpuProgram, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import {
  GROUP,
  GROUP_PARAMETERS,
  isHalf,
  loadWidth,
  matrix,
  powerOfTwo,
  storage,
  THREADS,
  vectorType,
} from '../columns.js'
import { keepNaN } from '../nan.js'

/** What a batch is normalised with on the GPU. */
export interface GpuNormalization {
  x: TensorInfo
  /** `[C]` each. */
  scale: TensorInfo
  offset: TensorInfo
  mean: TensorInfo
  variance: TensorInfo
  epsilon: number
  residual?: TensorInfo
  relu: boolean
}

/** The result, `x` and the residual are halves in memory, or none of them: what is not as the result is, is converted first.
 *
 * Fills the result with `(x - mean) / sqrt(variance + epsilon) * scale + offset`, plus the residual, then the activation, in one pass. */
export function gpuNormalize(backend: KernelBackend, args: GpuNormalization, result: TensorInfo): void {
  const { x, scale, offset, mean, variance, epsilon, residual, relu } = args
  const { rows, channels } = matrix(x)
  const load = loadWidth(channels)
  const columns = channels / load
  const { width, tiles, chunks, chunkRows } = passTiling(rows, columns)
  runGpuProgram(backend, normalized(load, width, residual !== undefined, relu, isHalf(backend, result)), {
    inputs: [x, scale, offset, mean, variance, ...(residual ? [residual] : [])],
    outputs: [result],
    uniforms: [tiles, rows, columns, chunkRows, epsilon],
    workgroups: workgroupsFor(tiles * chunks, 1),
  })
}

/** Sharing out of a pass that changes each number by itself: eight rows a thread, which read what belongs to the channel once. */
export function passTiling(rows: number, columns: number) {
  const width = Math.min(32, powerOfTwo(columns))
  const chunkRows = (THREADS / width) * 8
  return {
    width,
    tiles: Math.ceil(columns / width),
    chunks: Math.ceil(rows / chunkRows),
    chunkRows,
  }
}

function normalized(load: 1 | 4, width: number, residual: boolean, relu: boolean, half: boolean): GpuProgram {
  const type = vectorType(load)
  const pixel = storage(load, half)
  const height = THREADS / width
  return {
    name: `facekit_normalize_${load}_${width}${residual ? '_residual' : ''}${relu ? '_relu' : ''}${half ? '_half' : ''}`,
    inputs: [
      `x: ${pixel.type}`,
      ...['scale', 'offset', 'mean', 'variance'].map((name) => `${name}: ${type}`),
      ...(residual ? [`residual: ${pixel.type}`] : []),
    ],
    outputs: [`result: ${pixel.type}`],
    uniforms: ['tiles: u32', 'rows: u32', 'columns: u32', 'chunkRows: u32', 'epsilon: f32'],
    code: () => /* wgsl */ `
      @compute @workgroup_size(${THREADS})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let chunk = group / uniforms.tiles;
        let column = (group - chunk * uniforms.tiles) * ${width}u + local % ${width}u;
        if (column >= uniforms.columns) { return; }
        let begin = chunk * uniforms.chunkRows + local / ${width}u;
        let end = min((chunk + 1u) * uniforms.chunkRows, uniforms.rows);
        let center = mean[column];
        let factor = scale[column] * inverseSqrt(variance[column] + uniforms.epsilon);
        let shift = offset[column];
        for (var i = begin; i < end; i += ${height}u) {
          let at = i * uniforms.columns + column;
          let value = (${pixel.read('x[at]')} - center) * factor + shift${residual ? ` + ${pixel.read('residual[at]')}` : ''};
          result[at] = ${pixel.write(relu ? keepNaN('value', `max(value, ${type}(0))`, type) : 'value')};
        }
      }`,
  }
}
