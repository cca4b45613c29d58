import {
  convertGpuTensor,
  gpuMemoryType,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
  type GpuProgram,
} from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { GROUP, GROUP_PARAMETERS } from '../columns.js'
import type { ConvGeometry } from './geometry.js'

/** A convolution whose input channels come in eights: as it is, or filled up with zeros. */
export function filledUp<Operands extends { x: TensorInfo; filter?: TensorInfo }>(
  backend: KernelBackend,
  geometry: ConvGeometry,
  operands: Operands,
): { g: ConvGeometry; operands: Operands; release(): void } {
  if (geometry.inChannels % 8 === 0) return { g: geometry, operands, release: () => {} }
  const x = changeChannels(backend, operands.x, 3, 8, 'float16')
  const made = [x]
  const filled = { ...operands, x }
  if (operands.filter) {
    filled.filter = changeChannels(backend, operands.filter, 2, 8, 'float16')
    made.push(filled.filter)
  }
  const release = () => {
    for (const { dataId } of made) backend.disposeData(dataId)
  }
  return { g: { ...geometry, inChannels: 8 }, operands: filled, release }
}

/** Another number of channels along an axis: the first ones, or zeros behind them.
 *
 * @param type - of the result, which comes in fours of its last axis
 */
export function changeChannels(
  backend: KernelBackend,
  x: TensorInfo,
  axis: number,
  channels: number,
  type: 'float16' | 'float32',
): TensorInfo {
  const before = x.shape[axis]
  const shape = x.shape.map((size, i) => (i === axis ? channels : size))
  const run = util.sizeFromShape(shape.slice(axis + 1))
  const source = gpuMemoryType(backend, x) === 'float32' ? x : convertGpuTensor(backend, x, 'float32')
  const result = makeGpuTensor(backend, shape, type)
  const quads = util.sizeFromShape(shape) / 4
  runGpuProgram(backend, channelProgram(type), {
    inputs: [source],
    outputs: [result],
    uniforms: [quads, run, before, channels],
    workgroups: workgroupsFor(quads, 256),
  })
  if (source !== x) backend.disposeData(source.dataId)
  return result
}

const channelProgram = (type: 'float16' | 'float32'): GpuProgram => ({
  name: `facekit_channels_${type}`,
  inputs: ['x: f32'],
  outputs: [type === 'float16' ? 'result: half4' : 'result: vec4<f32>'],
  uniforms: ['quads: u32', 'run: u32', 'before: u32', 'channels: u32'],
  code: /* wgsl */ `
    fn at(index: u32) -> f32 {
      let line = index / uniforms.run;
      let outer = line / uniforms.channels;
      let channel = line - outer * uniforms.channels;
      if (channel >= uniforms.before) { return 0.0; }
      return x[(outer * uniforms.before + channel) * uniforms.run + index - line * uniforms.run];
    }
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let quad = group * 256u + local;
      if (quad >= uniforms.quads) { return; }
      let index = quad * 4u;
      let value = vec4<f32>(at(index), at(index + 1u), at(index + 2u), at(index + 3u));
      result[quad] = ${type === 'float16' ? 'narrow4(value)' : 'value'};
    }`,
})
