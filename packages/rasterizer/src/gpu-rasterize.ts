import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { projectOnGpu } from './gpu-project.js'
import { fillIntegers, makeOutput, runProgram, type GpuProgram } from './gpu-program.js'
import { BANDS, largeProgram, LIST_SIZE, NO_KEY, smallProgram } from './gpu-scan.js'
import { barycentricsAt } from './gpu-snippets.js'
import type { Cull } from './scan-triangles.js'

const idsProgram: GpuProgram = {
  name: 'facekit_rasterize_ids',
  inputs: ['scan'],
  uniforms: [],
  code: /* wgsl */ `
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let id = scan[uniforms.threads + index];
      result[index] = select(id, -1, id == ${NO_KEY});
    }`,
}

const depthProgram: GpuProgram = {
  name: 'facekit_rasterize_depth',
  inputs: ['scan'],
  uniforms: [],
  code: /* wgsl */ `
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let key = scan[index];
      if (key == ${NO_KEY}) {
        result[index] = 1.0;
      } else {
        result[index] = bitcast<f32>(select(key, key ^ 0x7fffffff, key < 0));
      }
    }`,
}

const barycentricsProgram: GpuProgram = {
  name: 'facekit_rasterize_barycentrics',
  inputs: ['clip*', 'triangles', 'ids'],
  uniforms: ['vertexCount', 'width', 'height'],
  code: /* wgsl */ `${barycentricsAt}
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let id = ids[index];
      var weights = vec3<f32>(0.0);
      if (id >= 0) {
        let first = index / (uniforms.width * uniforms.height) * uniforms.vertexCount;
        let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
        let pixel = vec2<f32>(vec2<i32>(index % uniforms.width, index / uniforms.width % uniforms.height)) + 0.5;
        weights = cornersAt(vec4<f32>(clip[first + triangles[3 * id]]), vec4<f32>(clip[first + triangles[3 * id + 1]]),
          vec4<f32>(clip[first + triangles[3 * id + 2]]), half, half - pixel).weights;
        // A centre that rounding has put outside is moved onto the border, so that nothing is ever extrapolated.
        weights = max(weights * sign(weights.x + weights.y + weights.z), vec3<f32>(0.0));
        let sum = weights.x + weights.y + weights.z;
        if (sum > 0.0) { weights = weights / sum; } else { weights = vec3<f32>(1.0 / 3.0); }
      }
      result[3 * index] = weights.x;
      result[3 * index + 1] = weights.y;
      result[3 * index + 2] = weights.z;
    }`,
}

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
}

const CULLS: readonly Cull[] = ['none', 'back', 'front']
/** Enough workgroups to fill a large GPU. */
const MOST_GROUPS = 1024

/** `rasterize` on WebGPU: ids, barycentrics and depth of `[B, N, 4]` clip-space vertices. See the notes in gpu-scan.ts. */
export function rasterizeOnGpu(
  backend: KernelBackend,
  [clip]: TensorInfo[],
  { triangles, width, height, cull }: Attributes,
): TensorInfo[] {
  const [batch, count] = clip.shape
  const pixels = batch * width * height
  const mesh = uploadOnce(backend, triangles)
  const points = projectOnGpu(backend, clip, width, height)

  const jobs = (batch * triangles.length) / 3
  const scan = makeOutput(backend, [2 * pixels + 1 + LIST_SIZE], 'int32')
  fillIntegers(backend, scan, NO_KEY, 0, 2 * pixels)
  fillIntegers(backend, scan, 0, 2 * pixels, 1)
  const groups = Math.min(MOST_GROUPS, jobs * BANDS)
  for (const pass of jobs === 0 ? [] : [0, 1]) {
    const uniforms = [pass, batch, count, triangles.length / 3, width, height, CULLS.indexOf(cull)]
    runProgram(backend, smallProgram, [points, mesh], uniforms, jobs, scan)
    runProgram(backend, largeProgram, [points, mesh], uniforms, groups * largeProgram.groupSize, scan)
  }
  const ids = makeOutput(backend, [batch, height, width], 'int32')
  runProgram(backend, idsProgram, [scan], [], pixels, ids)
  const depth = makeOutput(backend, [batch, height, width, 1], 'float32')
  runProgram(backend, depthProgram, [scan], [], pixels, depth)
  const barycentrics = makeOutput(backend, [batch, height, width, 3], 'float32')
  runProgram(backend, barycentricsProgram, [clip, mesh, ids], [count, width, height], pixels, barycentrics)
  for (const { dataId } of [points, scan]) backend.disposeData(dataId)
  return [ids, barycentrics, depth]
}
