import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import {
  byChannels,
  differenceOfProducts,
  entry,
  GROUP_SIZE,
  linearIndex,
  relativeVertex,
  unitScale,
  vectors,
} from './snippets.js'

/* Contributor notes
 *
 * Few pixels are crossed by a silhouette, so the two vertices of each crossing get it into a linked list, and each vertex then adds up its list.
 * The order of a list varies from run to run. The sum does not: what is added is rounded to multiples of one number first, the
 * power of two that lets as many contributions as the list has, each as large as the largest one, fit into integers. These are
 * two of 32 bits, for the upper and the lower half of the digits: 48 bits below the largest contribution where there are 64 of them.
 *
 * Node 2 p + e of the lists is end e of the crossing at pair p (see `crossingsOnGpu`).
 */

const clearProgram: GpuProgram = {
  name: 'facekit_antialias_clear',
  inputs: [],
  outputs: ['heads: i32'],
  uniforms: ['count: u32'],
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.count) { heads[index] = -1; }
    }`,
}

/** The slope of the loss along each crossing's place, and the lists. */
const linkProgram = byChannels((channels): GpuProgram => {
  const [type, count] = vectors(channels)
  return {
    name: `facekit_antialias_link_${channels}`,
    inputs: ['codes: vec2<i32>', 'places: f32', `picture: ${type}`, `upstream: ${type}`, 'triangles: i32'],
    outputs: ['heads: atomic<i32>', 'next: i32', 'slopes: f32'],
    uniforms: ['pixels: u32', 'vertexCount: i32', 'width: u32', 'perItem: u32'],
    code: /* wgsl */ `${linearIndex}
    fn link(q: u32, pair: u32, other: u32, code: i32) {
      if (code < 0) { return; }
      let here = (code & 1) == 1;
      let nearer = select(other, q, here);
      let farther = select(q, other, here);
      let goal = select(nearer, farther, abs(places[pair]) >= 0.5);
      var slope = ${type}(0.0);
      for (var k = 0u; k < ${count}u; k++) {
        slope += upstream[goal * ${count}u + k] * (picture[nearer * ${count}u + k] - picture[farther * ${count}u + k]);
      }
      let total = ${count === channels ? 'slope' : 'slope.x + slope.y + slope.z + slope.w'};
      if (total == 0.0) { return; }
      slopes[pair] = total;
      let first = i32(q / uniforms.perItem) * uniforms.vertexCount;
      let edge = code >> 1u;
      for (var end = 0; end < 2; end++) {
        let vertex = first + triangles[edge / 3 * 3 + (edge + 1 + end) % 3];
        let node = 2 * i32(pair) + end;
        next[node] = atomicExchange(&heads[vertex], node);
      }
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let q = linearIndex(group, groups, local);
      if (q >= uniforms.pixels) { return; }
      let both = codes[q];
      link(q, 2u * q, q + 1u, both.x);
      link(q, 2u * q + 1u, q + uniforms.width, both.y);
    }`,
  }
})

/** The derivative of `blendVertexGradient` in cpu/antialias-arrays.ts, of vertices scaled to about 1: the place of a crossing does not
 * depend on the scale. */
const sumProgram: GpuProgram = {
  name: 'facekit_antialias_sum',
  inputs: ['codes: i32', 'clip: vec4<f32>', 'triangles: i32', 'heads: i32', 'next: i32', 'slopes: f32'],
  outputs: ['gradient: vec4<f32>'],
  uniforms: ['vertices: u32', 'vertexCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `${linearIndex}${differenceOfProducts}${unitScale}${relativeVertex}
    /** By x, y and w of the node's vertex. */
    fn contribution(node: i32, first: i32) -> vec3<f32> {
      let pair = node >> 1u;
      let q = pair >> 1u;
      let code = codes[pair];
      let sideways = (pair & 1) == 0;
      let here = (code & 1) == 1;
      let stride = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), sideways);
      let pixel = vec2<f32>(vec2<i32>(q % uniforms.width, q / uniforms.width % uniforms.height));
      let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
      var offset = half - pixel - 0.5;
      if (!here) { offset -= stride; }
      let beyond = offset - select(-stride, stride, here);
      let edge = code >> 1u;
      let a = clip[first + triangles[edge / 3 * 3 + (edge + 1) % 3]];
      let b = clip[first + triangles[edge / 3 * 3 + (edge + 2) % 3]];
      let scaleA = unitScale(a);
      let scaleB = unitScale(b);
      let nearA = relativeVertex(a * scaleA, half, offset);
      let nearB = relativeVertex(b * scaleB, half, offset);
      let farA = relativeVertex(a * scaleA, half, beyond);
      let farB = relativeVertex(b * scaleB, half, beyond);
      let e = differenceOfProducts(vec3<f32>(nearA.x, farA.x, 0.0), vec3<f32>(nearB.y, farB.y, 0.0),
        vec3<f32>(nearA.y, farA.y, 0.0), vec3<f32>(nearB.x, farB.x, 0.0));
      let difference = e.x - e.y;
      if (difference == 0.0) { return vec3<f32>(0.0); }
      // dt = (near d(far) - far d(near)) / (near - far)^2, and the edge function is bilinear in the two vertices.
      let slope = slopes[pair] / difference;
      let isA = (node & 1) == 0;
      let scale = select(-scaleB, scaleA, isA);
      let near = select(nearA, nearB, isA) * (scale * (-e.y / difference * slope));
      let far = select(farA, farB, isA) * (scale * (e.x / difference * slope));
      return vec3<f32>(half.x * (near.y + far.y), half.y * (near.x + far.x),
        near.y * offset.x - near.x * offset.y + (far.y * beyond.x - far.x * beyond.y));
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.vertices) { return; }
      let head = heads[index];
      if (head < 0) {
        gradient[index] = vec4<f32>(0.0);
        return;
      }
      let first = i32(index) / uniforms.vertexCount * uniforms.vertexCount;
      var largest = vec3<u32>(0u);
      var count = 0u;
      for (var node = head; node >= 0; node = next[node]) {
        largest = max(largest, bitcast<vec3<u32>>(contribution(node, first)) & vec3<u32>(0x7fffffffu));
        count++;
      }
      // 2^bits times a number that is at most the largest, and as many as there are, stay below 2^31.
      let bits = min(24, 30 - i32(firstLeadingBit(2u * count - 1u)));
      let exponent = clamp(bits + 253 - vec3<i32>(largest >> vec3<u32>(23u)), vec3<i32>(1), vec3<i32>(253));
      let scale = bitcast<vec3<f32>>(exponent << vec3<u32>(23u));
      let unscale = bitcast<vec3<f32>>((254 - exponent) << vec3<u32>(23u));
      let finer = f32(1u << u32(bits));
      var high = vec3<i32>(0);
      var low = vec3<i32>(0);
      for (var node = head; node >= 0; node = next[node]) {
        let scaled = contribution(node, first) * scale;
        let upper = round(scaled);
        high += vec3<i32>(upper);
        low += vec3<i32>(round((scaled - upper) * finer));
      }
      let sum = (vec3<f32>(high) + vec3<f32>(low) / finer) * unscale;
      let value = select(sum, bitcast<vec3<f32>>(largest), largest >= vec3<u32>(0x7f800000u));
      gradient[index] = vec4<f32>(value.xy, 0.0, value.z);
    }`,
}

/** Gradient of clip-space vertices through visibility, on WebGPU. */
export function antialiasVertexGradientOnGpu(
  backend: KernelBackend,
  {
    clip,
    image: picture,
    places,
    codes,
    upstream,
  }: Record<'clip' | 'image' | 'places' | 'codes' | 'upstream', TensorInfo>,
  gradient: TensorInfo,
  topology: Topology,
): void {
  const [batch, height, width, channels] = picture.shape
  const vertices = batch * topology.vertexCount
  const pairs = 2 * batch * height * width
  const mesh = gpuConstant(backend, topology.triangles)
  const heads = makeGpuTensor(backend, [vertices], 'int32')
  const next = makeGpuTensor(backend, [2 * pairs], 'int32')
  const slopes = makeGpuTensor(backend, [pairs], 'float32')
  runGpuProgram(backend, clearProgram, {
    inputs: [],
    outputs: [heads],
    uniforms: [vertices],
    workgroups: workgroupsFor(vertices, GROUP_SIZE),
  })
  runGpuProgram(backend, linkProgram(channels), {
    inputs: [codes, places, picture, upstream, mesh],
    outputs: [heads, next, slopes],
    uniforms: [pairs / 2, topology.vertexCount, width, width * height],
    workgroups: workgroupsFor(pairs / 2, GROUP_SIZE),
  })
  runGpuProgram(backend, sumProgram, {
    inputs: [codes, clip, mesh, heads, next, slopes],
    outputs: [gradient],
    uniforms: [vertices, topology.vertexCount, width, height],
    workgroups: workgroupsFor(vertices, GROUP_SIZE),
  })
  for (const { dataId } of [heads, next, slopes]) backend.disposeData(dataId)
}
