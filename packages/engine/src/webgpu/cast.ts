import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import {
  type GpuBackend,
  type GpuProgram,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
} from '@facekit/kernels'

const program: GpuProgram = {
  name: 'facekit_cast',
  inputs: ['x: i32'],
  outputs: ['result: f32'],
  uniforms: ['size: u32'],
  code: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let index = (group.y * groups.x + group.x) * 64u + local;
      if (index < uniforms.size) { result[index] = f32(x[index]); }
    }`,
}

/** Whole numbers (int32 or bool) to float32. The stock kernel only calls them so: whoever reads the memory finds the bits of integers. */
export function castToFloat(backend: KernelBackend, x: TensorInfo): TensorInfo {
  const gpu = backend as GpuBackend
  const { values } = gpu.tensorMap.get(x.dataId)
  if (values) {
    const dataId = gpu.write(Float32Array.from(values as ArrayLike<number>), x.shape, 'float32')
    return { dataId, shape: x.shape, dtype: 'float32' }
  }
  const result = makeGpuTensor(backend, x.shape, 'float32')
  const size = util.sizeFromShape(x.shape)
  const integers: TensorInfo = { ...x, dtype: 'int32' }
  const workgroups = workgroupsFor(size, 64)
  runGpuProgram(backend, program, { inputs: [integers], outputs: [result], uniforms: [size], workgroups })
  return result
}
