import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuFinishCode } from './finish.js'

/** Adds up the parts of a product whose sum was split, always in the same order, and finishes the results.
 *
 * @param partial - `parts` times as many numbers as the result; its data is disposed of
 * @param type - of the result in memory; halves come in fours of columns
 */
export function sumParts(
  backend: KernelBackend,
  partial: TensorInfo,
  shape: number[],
  parts: number,
  columns: number,
  finish: GpuFinishCode,
  type: 'float32' | 'float16' = 'float32',
): TensorInfo {
  const result = makeGpuTensor(backend, shape, type)
  const half = type === 'float16'
  const size = util.sizeFromShape(shape)
  const wide = columns % 4 === 0
  const quads = Math.ceil(size / 4)
  // Invocations that share one result: few results are not worth a workgroup each otherwise.
  const sharing = parts >= 32 ? 16 : parts >= 8 ? 4 : 1
  const width = 256 / sharing
  const read = wide
    ? 'sum += partial[(part * uniforms.size + index) >> 2u];'
    : `for (var lane = 0u; lane < min(4u, uniforms.size - index); lane++) {
        sum[lane] += partial[part * uniforms.size + index + lane];
      }`
  const write = wide
    ? `result[index >> 2u] = ${half ? 'narrow4(' : '('}finish(sum, index % uniforms.columns));`
    : `for (var lane = 0u; lane < min(4u, uniforms.size - index); lane++) {
        // One column at a time: the four may lie in two rows.
        result[index + lane] = finish(vec4<f32>(sum[lane]), (index + lane) % uniforms.columns).x;
      }`
  runGpuProgram(
    backend,
    {
      name: `facekit_sum_parts_${sharing}_${wide}_${finish.key}${half ? '_half' : ''}`,
      inputs: [`partial: ${wide ? 'vec4<f32>' : 'f32'}`, ...finish.inputs],
      outputs: [`result: ${half ? 'half4' : wide ? 'vec4<f32>' : 'f32'}`],
      uniforms: ['size: u32', 'parts: u32', 'columns: u32', 'alpha: f32'],
      code: /* wgsl */ `
        ${finish.code}
        ${sharing > 1 ? 'var<workgroup> shared_: array<vec4<f32>, 256>;' : ''}
        @compute @workgroup_size(256)
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let index = ((group.y * groups.x + group.x) * ${width}u + local % ${width}u) * 4u;
          var sum = vec4<f32>();
          if (index < uniforms.size) {
            for (var part = local / ${width}u; part < uniforms.parts; part += ${sharing}u) { ${read} }
          }
          ${
            sharing > 1
              ? `shared_[local] = sum;
          workgroupBarrier();
          if (local >= ${width}u) { return; }
          for (var other = 1u; other < ${sharing}u; other++) { sum += shared_[other * ${width}u + local]; }`
              : ''
          }
          if (index >= uniforms.size) { return; }
          ${write}
        }`,
    },
    {
      inputs: [partial, ...finish.tensors],
      outputs: [result],
      uniforms: [size, parts, columns, finish.alpha],
      workgroups: workgroupsFor(quads, width),
    },
  )
  backend.disposeData(partial.dataId)
  return result
}
