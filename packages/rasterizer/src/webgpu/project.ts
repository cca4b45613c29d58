import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { entry, GROUP_SIZE, linearIndex } from './snippets.js'

/** WGSL: a vertex to homogeneous pixel space around the picture's middle, y down, and z of clip space.
 *
 * A vertex in front of the eye is divided by its w, which makes its w 1. One that would then lie beyond 2^20 pixels, or that is
 * behind the eye, is scaled by some other positive factor instead: the same point, whose products do not overflow. One that is
 * not finite becomes (0, 0, 0, 0), which no triangle that has it can be seen with. `half` is half of the picture's size.
 */
export const projectVertex = /* wgsl */ `
  fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
  /** a / b to the last place, times c. */
  fn scaledRatio(a: f32, b: f32, c: f32) -> f32 {
    let ratio = a / b;
    return fma(ratio, c, fma(-ratio, b, a) / b * c);
  }
  fn projectVertex(clip: vec4<f32>, half: vec2<f32>) -> vec4<f32> {
    var v = clip;
    if (!(isFinite(v.x) && isFinite(v.y) && isFinite(v.z) && isFinite(v.w))) { return vec4<f32>(0.0); }
    // Powers of two: nothing is rounded.
    var largest = max(max(abs(v.x), abs(v.y)), max(abs(v.z), abs(v.w)));
    if (largest > 0x1p60f) { v = v * 0x1p-64f; }
    if (largest < 0x1p-60f) { v = v * 0x1p64f; }
    let x = v.x * half.x;
    let y = -v.y * half.y;
    let extent = max(abs(x), abs(y));
    if (v.w * 0x1p20f > extent && v.w * 0x1p60f > abs(v.z)) {
      return vec4<f32>(scaledRatio(v.x, v.w, half.x), scaledRatio(-v.y, v.w, half.y), scaledRatio(v.z, v.w, 1.0), 1.0);
    }
    largest = max(extent, max(abs(v.z), abs(v.w)));
    if (largest > 0.0) { return vec4<f32>(x, y, v.z, v.w) * (0x1p20f / largest); }
    return vec4<f32>(0.0);
  }`

const program: GpuProgram = {
  name: 'facekit_project_vertices',
  inputs: ['clip: vec4<f32>'],
  outputs: ['points: vec4<f32>'],
  uniforms: ['count: u32', 'width: f32', 'height: f32'],
  code: /* wgsl */ `${projectVertex}${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.count) {
        points[index] = projectVertex(clip[index], 0.5 * vec2<f32>(uniforms.width, uniforms.height));
      }
    }`,
}

/** Projects `[B, N, 4]` clip-space vertices; the caller disposes of the result, `[B, N, 4]`. */
export function projectOnGpu(
  backend: KernelBackend,
  clip: TensorInfo,
  width: number,
  height: number,
): TensorInfo {
  const points = makeGpuTensor(backend, clip.shape, 'float32')
  const count = clip.shape[0] * clip.shape[1]
  runGpuProgram(backend, program, {
    inputs: [clip],
    outputs: [points],
    uniforms: [count, width, height],
    workgroups: workgroupsFor(count, GROUP_SIZE),
  })
  return points
}

/** WGSL: where a triangle is seen from. 1: its vertices run clockwise in the picture; -1: the other way; 0: edge-on. */
export const facingOf = /* wgsl */ `
  fn facingOf(x: vec3<f32>, y: vec3<f32>, w: vec3<f32>) -> i32 {
    // Relative to one vertex, where it can be divided by: tiny triangles far from the middle would drown in rounding.
    if (all(w == vec3<f32>(1.0))) {
      let area = differenceOfProducts(vec3<f32>(x.y - x.x), vec3<f32>(y.z - y.x), vec3<f32>(x.z - x.x), vec3<f32>(y.y - y.x)).x;
      return i32(sign(area));
    }
    let scaled = 0x1p-20f;
    return i32(sign(dot(edgeFunctions(x * scaled, y * scaled), w * scaled)));
  }`
