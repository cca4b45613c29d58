import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { crossingsOnGpu } from './gpu-crossings.js'
import { scatter, scatterProgram } from './gpu-scatter.js'
import { differenceOfProducts, relativeVertex, unitScale } from './gpu-snippets.js'
import type { Topology } from './topology.js'

/** The derivative of `blendVertexGradient` in antialias-arrays.ts, of vertices scaled to about 1: the place of a crossing does not
 * depend on the scale. */
const program = scatterProgram(
  'facekit_antialias_vertices',
  ['codes', 'clip*', 'triangles', 'picture', 'upstream'],
  ['vertexCount', 'width', 'height', 'channels'],
  /* wgsl */ `${differenceOfProducts}${unitScale}${relativeVertex}
    fn contribute(index : i32) {
      let code = codes[index];
      if (code < 0) { return; }
      let sideways = index % 2 == 0;
      let q = index / 2;
      let here = (code & 1) == 1;
      let other = q + select(uniforms.width, 1, sideways);
      let nearer = select(other, q, here);
      let farther = select(q, other, here);
      let column = nearer % uniforms.width;
      let row = nearer / uniforms.width % uniforms.height;
      let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
      let offset = half - vec2<f32>(vec2<i32>(column, row)) - 0.5;
      let beyond = offset - select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), sideways) * select(-1.0, 1.0, here);

      let first = q / (uniforms.width * uniforms.height) * uniforms.vertexCount;
      let edge = code >> 1u;
      let a = first + triangles[edge / 3 * 3 + (edge + 1) % 3];
      let b = first + triangles[edge / 3 * 3 + (edge + 2) % 3];
      let scaleA = unitScale(vec4<f32>(clip[a]));
      let scaleB = unitScale(vec4<f32>(clip[b]));
      let nearA = relativeVertex(vec4<f32>(clip[a]) * scaleA, half, offset);
      let nearB = relativeVertex(vec4<f32>(clip[b]) * scaleB, half, offset);
      let farA = relativeVertex(vec4<f32>(clip[a]) * scaleA, half, beyond);
      let farB = relativeVertex(vec4<f32>(clip[b]) * scaleB, half, beyond);
      let e = differenceOfProducts(vec3<f32>(nearA.x, farA.x, 0.0), vec3<f32>(nearB.y, farB.y, 0.0),
        vec3<f32>(nearA.y, farA.y, 0.0), vec3<f32>(nearB.x, farB.x, 0.0));
      let difference = e.x - e.y;
      if (difference == 0.0) { return; }
      let goal = select(nearer, farther, e.x / difference >= 0.5);
      var slope = 0.0;
      for (var k = 0; k < uniforms.channels; k++) {
        slope += f32(upstream[goal * uniforms.channels + k])
          * (f32(picture[nearer * uniforms.channels + k]) - f32(picture[farther * uniforms.channels + k]));
      }
      if (slope == 0.0) { return; }
      // dt = (near d(far) - far d(near)) / (near - far)^2
      let n = -e.y / difference * (slope / difference);
      let f = e.x / difference * (slope / difference);
      emit(4 * a, scaleA * half.x * (n * nearB.y + f * farB.y));
      emit(4 * a + 1, scaleA * half.y * (n * nearB.x + f * farB.x));
      emit(4 * a + 3, scaleA * (n * (nearB.y * offset.x - nearB.x * offset.y) + f * (farB.y * beyond.x - farB.x * beyond.y)));
      emit(4 * b, -scaleB * half.x * (n * nearA.y + f * farA.y));
      emit(4 * b + 1, -scaleB * half.y * (n * nearA.x + f * farA.x));
      emit(4 * b + 3, scaleB * (n * (nearA.x * offset.y - nearA.y * offset.x) + f * (farA.x * beyond.y - farA.y * beyond.x)));
    }`,
)

interface Attributes {
  topology: Topology
  channels: number
}

/** Gradient of clip-space vertices through visibility, on WebGPU. */
export function antialiasVertexGradientOnGpu(
  backend: KernelBackend,
  [clip, ids, depth, picture, upstream]: TensorInfo[],
  { topology, channels }: Attributes,
): TensorInfo[] {
  const [batch, height, width] = ids.shape
  const { codes, points } = crossingsOnGpu(backend, clip, ids, depth, topology)
  const inputs = [codes, clip, uploadOnce(backend, topology.triangles), picture, upstream]
  const uniforms = [topology.vertexCount, width, height, channels]
  const gradient = scatter(backend, program, inputs, uniforms, 2 * batch * height * width, 2, clip.shape)
  for (const { dataId } of [codes, points]) backend.disposeData(dataId)
  return [gradient]
}
