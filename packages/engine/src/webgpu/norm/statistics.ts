import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import {
  forEachRow,
  GROUP,
  GROUP_PARAMETERS,
  isHalf,
  loadWidth,
  matrix,
  storage,
  tileColumns,
  tileMerge,
  vectorType,
} from '../columns.js'

/** Moving averages that the statistics are mixed into, in place: `average += rate * (value - average)`. */
export interface MovingAverages {
  mean: TensorInfo
  variance: TensorInfo
  rate: number
}

/** Fills mean and variance (that of the sample itself) of each channel, `[C]` each.
 *
 * A thread adds up some dozen rows, shifted by the first of them; means and squared deviations of threads, then of workgroups, are
 * merged pairwise (Chan, Golub, LeVeque 1979). A large mean, or one outlier, costs no digits.
 */
export function gpuStatistics(
  backend: KernelBackend,
  x: TensorInfo,
  { mean, variance }: { mean: TensorInfo; variance: TensorInfo },
  moving?: MovingAverages,
): void {
  const { rows, channels } = matrix(x)
  const load = loadWidth(channels)
  const columns = channels / load
  const { threads, width, tiles, chunks, chunkRows } = tileColumns(rows, columns)
  const partial = makeGpuTensor(backend, [2, chunks, channels], 'float32')
  runGpuProgram(backend, partialStatistics(load, threads, width, isHalf(backend, x)), {
    inputs: [x],
    outputs: [partial],
    uniforms: [tiles, chunks, rows, columns, chunkRows],
    workgroups: workgroupsFor(tiles * chunks, 1),
  })
  const merge = tileMerge(chunks)
  runGpuProgram(backend, mergedStatistics(merge, moving !== undefined, isHalf(backend, x)), {
    inputs: [partial],
    outputs: moving ? [mean, variance, moving.mean, moving.variance] : [mean, variance],
    uniforms: [chunks, rows, channels, chunkRows, moving?.rate ?? 0],
    workgroups: workgroupsFor(channels, merge.threads / merge.height),
  })
  backend.disposeData(partial.dataId)
}

/** Merges sample b into sample a: counts, means, sums of squared deviations. */
const merging = (type: string) => /* wgsl */ `
  struct Sample { count: f32, mean: ${type}, deviation: ${type} }
  fn merged(a: Sample, b: Sample) -> Sample {
    let count = a.count + b.count;
    if (count == 0.0) { return a; }
    let share = b.count / count;
    let difference = b.mean - a.mean;
    return Sample(count, a.mean + difference * share,
      a.deviation + b.deviation + difference * difference * (a.count * share));
  }`

function partialStatistics(load: 1 | 4, threads: number, width: number, half: boolean): GpuProgram {
  const type = vectorType(load)
  const pixel = storage(load, half)
  const height = threads / width
  return {
    name: `facekit_statistics_${load}_${threads}_${width}${half ? '_half' : ''}`,
    inputs: [`x: ${pixel.type}`],
    outputs: [`partial: ${type}`],
    uniforms: ['tiles: u32', 'chunks: u32', 'rows: u32', 'columns: u32', 'chunkRows: u32'],
    code: () => /* wgsl */ `
      ${merging(type)}
      var<workgroup> counts: array<f32, ${threads}>;
      var<workgroup> means: array<${type}, ${threads}>;
      var<workgroup> deviations: array<${type}, ${threads}>;
      @compute @workgroup_size(${threads})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let chunk = group / uniforms.tiles;
        if (chunk >= uniforms.chunks) { return; }
        let begin = chunk * uniforms.chunkRows;
        let end = min(begin + uniforms.chunkRows, uniforms.rows);
        let column = (group - chunk * uniforms.tiles) * ${width}u + local % ${width}u;
        let offset = min(column, uniforms.columns - 1u);
        let row = local / ${width}u;
        let first = min(begin + row, uniforms.rows - 1u);
        let shift = ${pixel.read('x[first * uniforms.columns + offset]')};
        var sum = ${type}(0);
        var squares = ${type}(0);
        ${forEachRow(
          'begin + row',
          'end',
          height,
          (i, k) => `let value${k} = ${pixel.read(`x[${i} * uniforms.columns + offset]`)} - shift;`,
          (k) => `sum += value${k}; squares += value${k} * value${k};`,
        )}
        // As many as the loop has gone round.
        let count = select(0u, (end - begin - row + ${height - 1}u) / ${height}u, begin + row < end);
        let average = sum / f32(max(count, 1u));
        var own = Sample(f32(count), shift + average, max(squares - sum * average, ${type}(0)));
        counts[local] = own.count;
        means[local] = own.mean;
        deviations[local] = own.deviation;
        workgroupBarrier();
        for (var step = ${height >> 1}u; step > 0u; step /= 2u) {
          if (row < step) {
            let other = local + step * ${width}u;
            own = merged(own, Sample(counts[other], means[other], deviations[other]));
            counts[local] = own.count;
            means[local] = own.mean;
            deviations[local] = own.deviation;
          }
          workgroupBarrier();
        }
        if (row == 0u && column < uniforms.columns) {
          partial[chunk * uniforms.columns + column] = own.mean;
          partial[(uniforms.chunks + chunk) * uniforms.columns + column] = own.deviation;
        }
      }`,
  }
}

function mergedStatistics(
  { threads, height }: { threads: number; height: number },
  moving: boolean,
  half: boolean,
): GpuProgram {
  const width = threads / height
  return {
    name: `facekit_statistics_merge_${threads}_${height}${moving ? '_moving' : ''}${half ? '_half' : ''}`,
    inputs: ['partial: f32'],
    outputs: ['mean: f32', 'variance: f32', ...(moving ? ['movingMean: f32', 'movingVariance: f32'] : [])],
    uniforms: ['chunks: u32', 'rows: u32', 'channels: u32', 'chunkRows: u32', 'rate: f32'],
    code: () => /* wgsl */ `
      ${merging('f32')}
      fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
      var<workgroup> counts: array<f32, ${threads}>;
      var<workgroup> means: array<f32, ${threads}>;
      var<workgroup> deviations: array<f32, ${threads}>;
      @compute @workgroup_size(${threads})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let channel = group * ${width}u + local % ${width}u;
        let offset = min(channel, uniforms.channels - 1u);
        let row = local / ${width}u;
        var own = Sample(0.0, 0.0, 0.0);
        ${forEachRow(
          'row',
          'uniforms.chunks',
          height,
          (i, k) => `
            let count${k} = f32(min(uniforms.chunkRows, uniforms.rows - ${i} * uniforms.chunkRows));
            let mean${k} = partial[${i} * uniforms.channels + offset];
            let deviation${k} = partial[(uniforms.chunks + ${i}) * uniforms.channels + offset];`,
          (k) => `own = merged(own, Sample(count${k}, mean${k}, deviation${k}));`,
        )}
        counts[local] = own.count;
        means[local] = own.mean;
        deviations[local] = own.deviation;
        workgroupBarrier();
        for (var step = ${height >> 1}u; step > 0u; step /= 2u) {
          if (row < step) {
            let other = local + step * ${width}u;
            own = merged(own, Sample(counts[other], means[other], deviations[other]));
            counts[local] = own.count;
            means[local] = own.mean;
            deviations[local] = own.deviation;
          }
          workgroupBarrier();
        }
        if (row == 0u && channel < uniforms.channels) {
          let spread = own.deviation / f32(uniforms.rows);
          mean[channel] = own.mean;
          variance[channel] = spread;
          ${
            moving
              ? `// A batch that was too large for halves is skipped; what it left in averages would stay.
                 if (${half ? 'isFinite(own.mean) && isFinite(spread)' : 'true'}) {
                   movingMean[channel] += uniforms.rate * (own.mean - movingMean[channel]);
                   movingVariance[channel] += uniforms.rate * (spread - movingVariance[channel]);
                 }`
              : ''
          }
        }
      }`,
  }
}
