import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { scatter, scatterProgram } from './gpu-scatter.js'
import { barycentricsAt, edgeFunctions } from './gpu-snippets.js'

/** The derivative of `barycentricsGradient` in barycentrics.ts, of vertices that are scaled by s_i: with e_i the edge functions of
 * the scaled ones, b_i = s_i e_i / S, S = sum s_j e_j, so dL/de_i = s_i (dL/db_i - sum_j dL/db_j b_j) / S, and the derivative by
 * the vertex itself is s_i times that by the scaled one. */
const program = scatterProgram(
  'facekit_rasterize_gradient',
  ['clip*', 'triangles', 'ids', 'upstream'],
  ['vertexCount', 'width', 'height'],
  /* wgsl */ `${edgeFunctions}${barycentricsAt}
    fn contribute(index : i32) {
      let id = ids[index];
      if (id < 0) { return; }
      let g = vec3<f32>(f32(upstream[3 * index]), f32(upstream[3 * index + 1]), f32(upstream[3 * index + 2]));
      if (g.x == g.y && g.y == g.z) { return; }
      let first = index / (uniforms.width * uniforms.height) * uniforms.vertexCount;
      let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
      let pixel = vec2<f32>(vec2<i32>(index % uniforms.width, index / uniforms.width % uniforms.height)) + 0.5;
      let offset = half - pixel;
      let vertices = first + vec3<i32>(triangles[3 * id], triangles[3 * id + 1], triangles[3 * id + 2]);
      let corners = cornersAt(vec4<f32>(clip[vertices.x]), vec4<f32>(clip[vertices.y]), vec4<f32>(clip[vertices.z]), half, offset);
      let sum = corners.weights.x + corners.weights.y + corners.weights.z;
      if (sum == 0.0) { return; }
      let b = corners.weights / sum;
      let h = (g - dot(g, b)) * (corners.ratio / sum);
      let u = corners.u;
      let v = corners.v;
      let du = differenceOfProducts(h.zxy, v.yzx, h.yzx, v.zxy) * corners.scale;
      let dv = differenceOfProducts(h.yzx, u.zxy, h.zxy, u.yzx) * corners.scale;
      for (var i = 0; i < 3; i++) {
        emit(4 * vertices[i], du[i] * half.x);
        emit(4 * vertices[i] + 1, -dv[i] * half.y);
        emit(4 * vertices[i] + 3, du[i] * offset.x + dv[i] * offset.y);
      }
    }`,
)

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
}

/** Gradient of clip-space vertices, from that of the barycentrics, on WebGPU. */
export function rasterizeGradientOnGpu(
  backend: KernelBackend,
  [clip, ids, upstream]: TensorInfo[],
  { triangles, width, height }: Attributes,
): TensorInfo[] {
  const [batch, count] = clip.shape
  const inputs = [clip, uploadOnce(backend, triangles), ids, upstream]
  const pixels = batch * width * height
  return [scatter(backend, program, inputs, [count, width, height], pixels, 3, clip.shape)]
}
