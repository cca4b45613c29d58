import { type GpuProgram, gpuConstant, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { barycentricsAt, edgeFunctions, entry, GROUP_SIZE, linearIndex } from './snippets.js'

/** As cpu/derivative-arrays.ts, of vertices that are scaled by s_i: with e_i the edge functions of the scaled ones and S = sum s_j e_j,
 * b_i = s_i e_i / S and db_i = (s_i de_i - b_i dS) / S. */
const program: GpuProgram = {
  name: 'facekit_interpolate_derivatives',
  inputs: ['values: f32', 'ids: i32', 'clip: vec4<f32>', 'triangles: i32'],
  outputs: ['result: vec2<f32>'],
  // The values of one picture's attributes, 0 when they are shared.
  uniforms: ['pixels: u32', 'stride: i32', 'channels: i32', 'vertexCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `${linearIndex}${edgeFunctions}${barycentricsAt}
    fn isFinite(value: vec3<f32>) -> bool {
      return all((bitcast<vec3<u32>>(value) & vec3<u32>(0x7f800000u)) != vec3<u32>(0x7f800000u));
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.pixels) { return; }
      let q = i32(index);
      let id = ids[q];
      var across = vec3<f32>(0.0);
      var down = vec3<f32>(0.0);
      var places = vec3<i32>(0);
      if (id >= 0) {
        let item = q / (uniforms.width * uniforms.height);
        let vertices = vec3<i32>(triangles[3 * id], triangles[3 * id + 1], triangles[3 * id + 2]);
        let known = item * uniforms.vertexCount + vertices;
        let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
        let pixel = vec2<f32>(vec2<i32>(q % uniforms.width, q / uniforms.width % uniforms.height));
        let corners = cornersAt(clip[known.x], clip[known.y], clip[known.z], half, half - pixel - 0.5);
        let w = vec3<f32>(clip[known.x].w, clip[known.y].w, clip[known.z].w) * corners.scale;
        let u = corners.u;
        let v = corners.v;
        // One pixel to the right takes w from u, one down takes it from v.
        let edgesAcross = differenceOfProducts(v.yzx, w.zxy, w.yzx, v.zxy) * corners.ratio;
        let edgesDown = differenceOfProducts(w.yzx, u.zxy, u.yzx, w.zxy) * corners.ratio;
        let sum = corners.weights.x + corners.weights.y + corners.weights.z;
        let weights = corners.weights / sum;
        across = (edgesAcross - weights * (edgesAcross.x + edgesAcross.y + edgesAcross.z)) / sum;
        down = (edgesDown - weights * (edgesDown.x + edgesDown.y + edgesDown.z)) / sum;
        if (!(isFinite(across) && isFinite(down))) {
          across = vec3<f32>(0.0);
          down = vec3<f32>(0.0);
        }
        places = item * uniforms.stride + vertices * uniforms.channels;
      }
      for (var k = 0; k < uniforms.channels; k++) {
        var slope = vec2<f32>(0.0);
        if (id >= 0) {
          let value = vec3<f32>(values[places.x + k], values[places.y + k], values[places.z + k]);
          slope = vec2<f32>(dot(across, value), dot(down, value));
        }
        result[q * uniforms.channels + k] = slope;
      }
    }`,
}

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

/** `interpolateDerivatives` on WebGPU. */
export function interpolateDerivativesOnGpu(
  backend: KernelBackend,
  { attributes: values, ids, clip }: Record<'attributes' | 'ids' | 'clip', TensorInfo>,
  { slopes }: { slopes: TensorInfo },
  { triangles, shape: [batch, count, channels] }: Attributes,
): void {
  const [, height, width] = ids.shape
  const pixels = util.sizeFromShape(ids.shape)
  runGpuProgram(backend, program, {
    inputs: [values, ids, clip, gpuConstant(backend, triangles)],
    outputs: [slopes],
    uniforms: [pixels, batch === 1 ? 0 : count * channels, channels, count, width, height],
    workgroups: workgroupsFor(pixels, GROUP_SIZE),
  })
}
