import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { passTiling, type GpuNormalization } from './batch-normalization.js'
import {
  forEachRow,
  GROUP,
  GROUP_PARAMETERS,
  isHalf,
  loadWidth,
  matrix,
  storage,
  THREADS,
  tileColumns,
  tileMerge,
  vectorType,
} from '../columns.js'

/** What the gradient of a normalised batch is computed from. */
export interface GpuNormalizationGradient extends Omit<GpuNormalization, 'residual'> {
  dy: TensorInfo
  /** What came out, where its sign does not follow from `x`: with a residual and an activation. */
  output?: TensorInfo
  /** Whether mean and variance are those of `x`, and move with it. */
  training: boolean
}

/** What is filled. */
export interface GpuNormalizationGradients {
  x: TensorInfo
  scale: TensorInfo
  offset: TensorInfo
  /** With an activation; without one the residual's gradient is `dy` itself. */
  residual?: TensorInfo
}

/** Halves in memory as in `gpuNormalize`, by the gradient in `x`.
 *
 * Gradients of `gpuNormalize`: two passes over the data; the activation's mask comes from `output`, or from `x` again. */
export function gpuNormalizeGradient(
  backend: KernelBackend,
  args: GpuNormalizationGradient,
  gradients: GpuNormalizationGradients,
): void {
  const { x, dy, scale, offset, mean, variance, epsilon, output, relu, training } = args
  const { rows, channels } = matrix(x)
  const load = loadWidth(channels)
  const columns = channels / load
  const half = isHalf(backend, gradients.x)
  const mask = !relu ? 'none' : output ? 'output' : 'input'
  const masking = mask === 'output' ? [output!] : mask === 'input' ? [scale, offset, variance] : []

  const tiling = tileColumns(rows, columns)
  const { chunks } = tiling
  const partial = makeGpuTensor(backend, [2, chunks, channels], 'float32')
  runGpuProgram(backend, partialSums(load, tiling.threads, tiling.width, mask, half), {
    inputs: [x, dy, mean, ...masking],
    outputs: [partial],
    uniforms: [tiling.tiles, chunks, rows, columns, tiling.chunkRows, epsilon],
    workgroups: workgroupsFor(tiling.tiles * chunks, 1),
  })
  const coefficients = makeGpuTensor(backend, [COEFFICIENTS, channels], 'float32')
  const merge = tileMerge(chunks)
  runGpuProgram(backend, mergedSums(merge), {
    inputs: [partial, mean, variance, scale, offset],
    outputs: [gradients.offset, gradients.scale, coefficients],
    uniforms: [chunks, channels, epsilon, training ? 1 / rows : 0],
    workgroups: workgroupsFor(channels, merge.threads / merge.height),
  })
  backend.disposeData(partial.dataId)

  const pass = passTiling(rows, columns)
  const { residual } = gradients
  runGpuProgram(backend, inputGradient(load, pass.width, mask, residual !== undefined, half), {
    inputs: [x, dy, coefficients, ...(mask === 'output' ? [output!] : [])],
    outputs: [gradients.x, ...(residual ? [residual] : [])],
    uniforms: [pass.tiles, rows, columns, pass.chunkRows],
    workgroups: workgroupsFor(pass.tiles * pass.chunks, 1),
  })
  backend.disposeData(coefficients.dataId)
}

/** Numbers for each channel that the last pass needs: mean, factor, offset, and what the mean and the variance take of the gradient. */
const COEFFICIENTS = 5

/** Where the activation's mask comes from. */
type Mask = 'none' | 'output' | 'input'

/** The incoming gradient of the row `k` where the activation let something through. */
const masked = (mask: Mask, type: string, k: number) =>
  ({
    none: `dy${k}`,
    output: `select(${type}(0), dy${k}, output${k} > ${type}(0))`,
    // As the forward pass computed it.
    input: `select(${type}(0), dy${k}, deviation${k} * factor + shift > ${type}(0))`,
  })[mask]

function partialSums(load: 1 | 4, threads: number, width: number, mask: Mask, half: boolean): GpuProgram {
  const type = vectorType(load)
  const pixel = storage(load, half)
  const height = threads / width
  const names = mask === 'input' ? ['scale', 'offset', 'variance'] : []
  return {
    name: `facekit_normalize_gradient_sums_${load}_${threads}_${width}_${mask}${half ? '_half' : ''}`,
    inputs: [
      ...['x', 'dy'].map((name) => `${name}: ${pixel.type}`),
      ...['mean', ...names].map((name) => `${name}: ${type}`),
      ...(mask === 'output' ? [`output: ${pixel.type}`] : []),
    ],
    outputs: [`partial: ${type}`],
    uniforms: ['tiles: u32', 'chunks: u32', 'rows: u32', 'columns: u32', 'chunkRows: u32', 'epsilon: f32'],
    code: () => /* wgsl */ `
      var<workgroup> sums: array<${type}, ${threads}>;
      var<workgroup> products: array<${type}, ${threads}>;
      @compute @workgroup_size(${threads})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let chunk = group / uniforms.tiles;
        if (chunk >= uniforms.chunks) { return; }
        let end = min((chunk + 1u) * uniforms.chunkRows, uniforms.rows);
        let column = (group - chunk * uniforms.tiles) * ${width}u + local % ${width}u;
        let offsetOfColumn = min(column, uniforms.columns - 1u);
        let row = local / ${width}u;
        let center = mean[offsetOfColumn];
        ${
          mask === 'input'
            ? `let factor = scale[offsetOfColumn] * inverseSqrt(variance[offsetOfColumn] + uniforms.epsilon);
               let shift = offset[offsetOfColumn];`
            : ''
        }
        var sum = ${type}(0);
        var product = ${type}(0);
        ${forEachRow(
          'chunk * uniforms.chunkRows + row',
          'end',
          height,
          (i, k) => `
            let at${k} = ${i} * uniforms.columns + offsetOfColumn;
            let deviation${k} = ${pixel.read(`x[at${k}]`)} - center;
            let dy${k} = ${pixel.read(`dy[at${k}]`)};
            ${mask === 'output' ? `let output${k} = ${pixel.read(`output[at${k}]`)};` : ''}`,
          (k) => `
            let gradient${k} = ${masked(mask, type, k)};
            sum += gradient${k};
            product += gradient${k} * deviation${k};`,
        )}
        sums[local] = sum;
        products[local] = product;
        workgroupBarrier();
        for (var step = ${height >> 1}u; step > 0u; step /= 2u) {
          if (row < step) {
            sums[local] += sums[local + step * ${width}u];
            products[local] += products[local + step * ${width}u];
          }
          workgroupBarrier();
        }
        if (row == 0u && column < uniforms.columns) {
          partial[chunk * uniforms.columns + column] = sums[local];
          partial[(uniforms.chunks + chunk) * uniforms.columns + column] = products[local];
        }
      }`,
  }
}

const mergedSums = ({ threads, height }: { threads: number; height: number }): GpuProgram => ({
  name: `facekit_normalize_gradient_merge_${threads}_${height}`,
  inputs: ['partial: f32', 'mean: f32', 'variance: f32', 'scale: f32', 'offset: f32'],
  outputs: ['offsetGradient: f32', 'scaleGradient: f32', 'coefficients: f32'],
  uniforms: ['chunks: u32', 'channels: u32', 'epsilon: f32', 'share: f32'],
  code: () => /* wgsl */ `
    var<workgroup> sums: array<vec2<f32>, ${threads}>;
    @compute @workgroup_size(${threads})
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let channel = group * ${threads / height}u + local % ${threads / height}u;
      let nearest = min(channel, uniforms.channels - 1u);
      let row = local / ${threads / height}u;
      var sum = vec2<f32>(0);
      ${forEachRow(
        'row',
        'uniforms.chunks',
        height,
        (i, k) => `let part${k} = vec2<f32>(partial[${i} * uniforms.channels + nearest],
          partial[(uniforms.chunks + ${i}) * uniforms.channels + nearest]);`,
        (k) => `sum += part${k};`,
      )}
      sums[local] = sum;
      workgroupBarrier();
      for (var step = ${height >> 1}u; step > 0u; step /= 2u) {
        if (row < step) { sums[local] += sums[local + step * ${threads / height}u]; }
        workgroupBarrier();
      }
      if (row == 0u && channel < uniforms.channels) {
        let rate = inverseSqrt(variance[channel] + uniforms.epsilon);
        let total = sums[local];
        offsetGradient[channel] = total.x;
        scaleGradient[channel] = total.y * rate;
        coefficients[channel] = mean[channel];
        coefficients[uniforms.channels + channel] = scale[channel] * rate;
        coefficients[2u * uniforms.channels + channel] = offset[channel];
        // Of a batch whose statistics are constants no share, also of NaN.
        let shared_ = uniforms.share > 0.0;
        coefficients[3u * uniforms.channels + channel] = select(0.0, total.x * uniforms.share, shared_);
        coefficients[4u * uniforms.channels + channel] = select(0.0, total.y * rate * rate * uniforms.share, shared_);
      }
    }`,
})

function inputGradient(load: 1 | 4, width: number, mask: Mask, residual: boolean, half: boolean): GpuProgram {
  const type = vectorType(load)
  const pixel = storage(load, half)
  const height = THREADS / width
  return {
    name: `facekit_normalize_gradient_${load}_${width}_${mask}${residual ? '_residual' : ''}${half ? '_half' : ''}`,
    inputs: [
      ...['x', 'dy'].map((name) => `${name}: ${pixel.type}`),
      `coefficients: ${type}`,
      ...(mask === 'output' ? [`output: ${pixel.type}`] : []),
    ],
    outputs: ['result', ...(residual ? ['residual'] : [])].map((name) => `${name}: ${pixel.type}`),
    uniforms: ['tiles: u32', 'rows: u32', 'columns: u32', 'chunkRows: u32'],
    code: () => /* wgsl */ `
      @compute @workgroup_size(${THREADS})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let chunk = group / uniforms.tiles;
        let column = (group - chunk * uniforms.tiles) * ${width}u + local % ${width}u;
        if (column >= uniforms.columns) { return; }
        let begin = chunk * uniforms.chunkRows + local / ${width}u;
        let end = min((chunk + 1u) * uniforms.chunkRows, uniforms.rows);
        let center = coefficients[column];
        let factor = coefficients[uniforms.columns + column];
        let shift = coefficients[2u * uniforms.columns + column];
        let drift = coefficients[3u * uniforms.columns + column];
        let slope = coefficients[4u * uniforms.columns + column];
        for (var i = begin; i < end; i += ${height}u) {
          let at = i * uniforms.columns + column;
          let deviation0 = ${pixel.read('x[at]')} - center;
          let dy0 = ${pixel.read('dy[at]')};
          ${mask === 'output' ? `let output0 = ${pixel.read('output[at]')};` : ''}
          let gradient = ${masked(mask, type, 0)};
          ${residual ? `residual[at] = ${pixel.write('gradient')};` : ''}
          result[at] = ${pixel.write('factor * (gradient - drift - deviation0 * slope)')};
        }
      }`,
  }
}
