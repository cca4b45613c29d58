import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { hasWebgpu, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()

/** Sums and differences in one pass: two outputs, one of them updated in place. */
const program: GpuProgram = {
  name: 'test_sum_and_accumulate',
  inputs: ['a: f32', 'unread: f32', 'counts: i32'],
  outputs: ['sum: f32', 'total: f32'],
  uniforms: ['size: u32', 'offset: i32', 'factor: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      if (id.x >= uniforms.size) { return; }
      sum[id.x] = uniforms.factor * a[id.x] + f32(counts[id.x] + uniforms.offset);
      total[id.x] += a[id.x];
    }`,
}

describe('workgroupsFor', () => {
  it('value: enough groups, none above the limit', () => {
    expect(workgroupsFor(0, 64)).toEqual([1, 1, 1])
    expect(workgroupsFor(65, 64)).toEqual([2, 1, 1])
    const [x, y] = workgroupsFor(1e9, 64)
    expect(x).toBeLessThanOrEqual(65535)
    expect(x * y * 64).toBeGreaterThanOrEqual(1e9)
  })
})

describe.skipIf(!webgpu)('runGpuProgram on webgpu', () => {
  it('value: several outputs, in place too, types as declared, unread and empty inputs', async () => {
    await useBackend('webgpu')
    const backend = tf.backend()
    const total = tf.tensor1d([10, 20, 30])
    expect(await total.data()).toEqual(new Float32Array([10, 20, 30]))
    // float32 for tfjs, int32 in memory
    const a = tf.cast(tf.tensor1d([1, 2, 3], 'int32'), 'float32')
    const counts = tf.tensor1d([5, 6, 7], 'int32')
    const sum = makeGpuTensor(backend, [3], 'float32')
    runGpuProgram(backend, program, {
      inputs: [a, tf.zeros([0]), counts],
      outputs: [sum, total],
      uniforms: [3, -2, 0.5],
      workgroups: workgroupsFor(3, 64),
    })
    expect(await backend.read(sum.dataId)).toEqual(new Float32Array([3.5, 5, 6.5]))
    // Not what was read, and kept on the CPU, before.
    expect(await total.data()).toEqual(new Float32Array([11, 22, 33]))
    backend.disposeData(sum.dataId)
  })
})
