import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { crossingsOnGpu } from './gpu-crossings.js'
import { makeOutput, runProgram, type GpuProgram } from './gpu-program.js'
import { differenceOfProducts } from './gpu-snippets.js'
import type { Topology } from './topology.js'

/** Each pixel gathers from the pairs that it belongs to. `uniforms.backward` is 1 for the gradient of the picture. */
const program: GpuProgram = {
  name: 'facekit_antialias',
  inputs: ['codes', 'points*', 'triangles', 'picture'],
  uniforms: ['vertexCount', 'width', 'height', 'channels', 'backward'],
  code: /* wgsl */ `${differenceOfProducts}
    /** How far behind the middle between two centres the edge is, -1/2..1/2; \`offset\` is the picture's middle minus the nearer. */
    fn amountAt(first : i32, half : i32, offset : vec2<f32>, stride : vec2<f32>) -> f32 {
      let f = half / 3 * 3;
      let p = points[first + triangles[f + (half + 1) % 3]];
      let q = points[first + triangles[f + (half + 2) % 3]];
      let x = vec3<f32>(offset.x, offset.x - stride.x, 0.0);
      let y = vec3<f32>(offset.y, offset.y - stride.y, 0.0);
      let e = differenceOfProducts(
        fma(vec3<f32>(p.w), x, vec3<f32>(p.x)), fma(vec3<f32>(q.w), y, vec3<f32>(q.y)),
        fma(vec3<f32>(p.w), y, vec3<f32>(p.y)), fma(vec3<f32>(q.w), x, vec3<f32>(q.x)));
      return e.x / (e.x - e.y) - 0.5;
    }
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let q = index / uniforms.channels;
      let k = index % uniforms.channels;
      let column = q % uniforms.width;
      let row = q / uniforms.width % uniforms.height;
      let first = q / (uniforms.width * uniforms.height) * uniforms.vertexCount;
      var value = f32(picture[index]);
      for (var pair = 0; pair < 4; pair++) {
        let sideways = pair < 2;
        let back = pair & 1;
        if (back == 1 && select(row, column, sideways) == 0) { continue; }
        let step = select(uniforms.width, 1, sideways);
        let base = q - back * step;
        let code = codes[2 * base + select(1, 0, sideways)];
        if (code < 0) { continue; }
        let here = (code & 1) == 1;
        let nearer = select(base + step, base, here);
        let farther = select(base, base + step, here);
        let stride = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), sideways);
        var offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
        // From this pixel to the nearer one.
        if (nearer < q) { offset += stride; }
        if (nearer > q) { offset -= stride; }
        let amount = amountAt(first, code >> 1u, offset, select(-stride, stride, here));
        let goal = select(nearer, farther, amount >= 0.0);
        if (uniforms.backward == 1) {
          value += select(-1.0, 1.0, q == nearer) * amount * f32(picture[goal * uniforms.channels + k]);
        } else if (goal == q) {
          value += amount * (f32(picture[nearer * uniforms.channels + k]) - f32(picture[farther * uniforms.channels + k]));
        }
      }
      result[index] = value;
    }`,
}

interface Attributes {
  topology: Topology
  channels: number
}

function run(
  backend: KernelBackend,
  [clip, ids, depth, picture]: TensorInfo[],
  { topology, channels }: Attributes,
  backward: 0 | 1,
): TensorInfo[] {
  const [, height, width] = ids.shape
  const { codes, points } = crossingsOnGpu(backend, clip, ids, depth, topology)
  const inputs = [codes, points, uploadOnce(backend, topology.triangles), picture]
  const uniforms = [topology.vertexCount, width, height, channels, backward]
  const output = makeOutput(backend, picture.shape, 'float32')
  runProgram(backend, program, inputs, uniforms, util.sizeFromShape(picture.shape), output)
  for (const { dataId } of [codes, points]) backend.disposeData(dataId)
  return [output]
}

/** `antialias` on WebGPU: of clip, ids, depth and the picture. */
export const antialiasOnGpu = (backend: KernelBackend, inputs: TensorInfo[], attributes: Attributes) =>
  run(backend, inputs, attributes, 0)

/** Gradient of the picture on WebGPU: of clip, ids, depth and the upstream gradient. */
export const antialiasImageGradientOnGpu = (
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
) => run(backend, inputs, attributes, 1)
