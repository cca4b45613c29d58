import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { geometryKey, type ConvGeometry } from './geometry.js'

/** Gradient of a depthwise convolution with respect to its input: each number gathers from the outputs that it is in.
 *
 * @param filter - `[kh, kw, C, M]`
 * @returns `[B, H, W, C]`
 */
export function depthwiseInputGradient(
  backend: KernelBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const shape = [dy.shape[0], g.inHeight, g.inWidth, g.inChannels]
  const wide = isWide(g)
  const result = makeGpuTensor(backend, shape, 'float32')
  const size = util.sizeFromShape(shape) / (wide ? 4 : 1)
  const type = wide ? 'vec4<f32>' : 'f32'
  runGpuProgram(
    backend,
    {
      name: `facekit_depthwise_input_gradient_${geometryKey(g)}`,
      inputs: [`dy: ${type}`, `f: ${type}`],
      outputs: [`result: ${type}`],
      uniforms: ['size: u32'],
      code: () => inputGradientCode(g, type),
    },
    { inputs: [dy, filter], outputs: [result], uniforms: [size], workgroups: workgroupsFor(size, 256) },
  )
  return result
}

/** Four channels at a time. */
const isWide = (g: ConvGeometry) => g.inChannels % 4 === 0 && g.inChannels === g.outChannels

function inputGradientCode(g: ConvGeometry, type: string): string {
  const channels = isWide(g) ? g.inChannels / 4 : g.inChannels
  const multiplier = g.outChannels / g.inChannels
  return /* wgsl */ `
    @compute @workgroup_size(256)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let index = (group.y * groups.x + group.x) * 256u + local;
      if (index >= uniforms.size) { return; }
      let channel = index % ${channels}u;
      let pixel = index / ${channels}u;
      let across = i32(pixel % ${g.inWidth}u) + ${g.padLeft};
      let down = i32(pixel / ${g.inWidth}u % ${g.inHeight}u) + ${g.padTop};
      let picture = pixel / ${g.inWidth * g.inHeight}u;
      var sum = ${type}();
      for (var i = 0; i < ${g.filterHeight}; i++) {
        let y = down - i * ${g.dilationHeight};
        if (y < 0 || y % ${g.strideHeight} != 0 || y >= ${g.outHeight * g.strideHeight}) { continue; }
        for (var j = 0; j < ${g.filterWidth}; j++) {
          let x = across - j * ${g.dilationWidth};
          if (x < 0 || x % ${g.strideWidth} != 0 || x >= ${g.outWidth * g.strideWidth}) { continue; }
          let place = (picture * ${g.outHeight}u + u32(y / ${g.strideHeight})) * ${g.outWidth}u + u32(x / ${g.strideWidth});
          let tap = u32(i * ${g.filterWidth} + j);
          for (var m = 0u; m < ${multiplier}u; m++) {
            sum += dy[(place * ${channels}u + channel) * ${multiplier}u + m] * f[(tap * ${channels}u + channel) * ${multiplier}u + m];
          }
        }
      }
      result[index] = sum;
    }`
}
