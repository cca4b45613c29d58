import {
  type GpuProgram,
  gpuConstant,
  load3,
  makeGpuTensor,
  runGpuProgram,
  store3,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** The triangles around each vertex: `count + 1` places, then at those places the other two vertices of each triangle, in order. */
export function vertexRings(triangles: Int32Array, count: number): Int32Array {
  const rings = new Int32Array(count + 1 + 2 * triangles.length)
  for (const vertex of triangles) rings[vertex + 1] += 2
  rings[0] = count + 1
  for (let vertex = 0; vertex < count; vertex++) rings[vertex + 1] += rings[vertex]
  const next = rings.slice(0, count)
  for (let corner = 0; corner < triangles.length; corner++) {
    const first = corner - (corner % 3)
    const place = next[triangles[corner]]
    rings[place] = triangles[first + ((corner + 1) % 3)]
    rings[place + 1] = triangles[first + ((corner + 2) % 3)]
    next[triangles[corner]] += 2
  }
  return rings
}

export const ringNormals: GpuProgram = {
  name: 'facekit_ring_normals',
  inputs: ['vertices: f32', 'rings: i32'],
  outputs: ['normals: f32', 'lengths: f32'],
  uniforms: ['count: u32', 'batch: u32'],
  code: wgslMain(/* wgsl */ `
    if (index >= uniforms.count * uniforms.batch) { return; }
    let vertex = index % uniforms.count;
    let first = index - vertex;
    let v = ${load3('vertices', '3u * index')};
    var sum = vec3<f32>();
    for (var i = rings[vertex]; i < rings[vertex + 1u]; i += 2) {
      let p = 3u * (first + u32(rings[i]));
      let q = 3u * (first + u32(rings[i + 1]));
      sum += cross(${load3('vertices', 'p')} - v, ${load3('vertices', 'q')} - v);
    }
    let size = length(sum);
    lengths[index] = size;
    let n = select(vec3<f32>(), sum / size, size > 0.0);
    ${store3('normals', '3u * index', 'n')}`),
}

/** Gradient of the normals before they were made unit. */
export const unscaleNormals: GpuProgram = {
  name: 'facekit_unscale_normals',
  inputs: ['toNormals: f32', 'normals: f32', 'lengths: f32'],
  outputs: ['unscaled: f32'],
  uniforms: ['size: u32'],
  code: wgslMain(/* wgsl */ `
    if (index >= uniforms.size) { return; }
    let g = ${load3('toNormals', '3u * index')};
    let n = ${load3('normals', '3u * index')};
    let size = lengths[index];
    let h = select(vec3<f32>(), (g - dot(g, n) * n) / size, size > 0.0);
    ${store3('unscaled', '3u * index', 'h')}`),
}

/** A vertex of the triangle (v, p, q) receives (p - q) x h, with h the sum of the gradients at its three corners. */
export const ringBackward: GpuProgram = {
  name: 'facekit_ring_normals_gradient',
  inputs: ['vertices: f32', 'rings: i32', 'unscaled: f32'],
  outputs: ['toRing: f32'],
  uniforms: ['count: u32', 'batch: u32'],
  code: wgslMain(/* wgsl */ `
    if (index >= uniforms.count * uniforms.batch) { return; }
    let vertex = index % uniforms.count;
    let first = index - vertex;
    let own = ${load3('unscaled', '3u * index')};
    var sum = vec3<f32>();
    for (var i = rings[vertex]; i < rings[vertex + 1u]; i += 2) {
      let p = 3u * (first + u32(rings[i]));
      let q = 3u * (first + u32(rings[i + 1]));
      let h = own + ${load3('unscaled', 'p')} + ${load3('unscaled', 'q')};
      sum += cross(${load3('vertices', 'p')} - ${load3('vertices', 'q')}, h);
    }
    ${store3('toRing', '3u * index', 'sum')}`),
}

const known = new WeakMap<Int32Array, Map<number, Int32Array>>()

/** The rings of a mesh, made once. */
function ringsOf(triangles: Int32Array, count: number): Int32Array {
  let sizes = known.get(triangles)
  if (sizes === undefined) known.set(triangles, (sizes = new Map<number, Int32Array>()))
  let rings = sizes.get(count)
  if (rings === undefined) sizes.set(count, (rings = vertexRings(triangles, count)))
  return rings
}

/** `vertexNormals` on WebGPU. */
export function vertexNormalsOnGpu(
  backend: KernelBackend,
  { vertices }: { vertices: TensorInfo },
  { normals, lengths }: { normals: TensorInfo; lengths: TensorInfo },
  triangles: Int32Array,
): void {
  const [batch, count] = vertices.shape
  runGpuProgram(backend, ringNormals, {
    inputs: [vertices, gpuConstant(backend, ringsOf(triangles, count))],
    outputs: [normals, lengths],
    uniforms: [count, batch],
    workgroups: workgroupsFor(batch * count, 64),
  })
}

/** Gradient of `vertexNormalsOnGpu`. */
export function vertexNormalsGradientOnGpu(
  backend: KernelBackend,
  inputs: { upstream: TensorInfo; vertices: TensorInfo; normals: TensorInfo; lengths: TensorInfo },
  { gradient }: { gradient: TensorInfo },
  triangles: Int32Array,
): void {
  const { upstream, vertices, normals, lengths } = inputs
  const [batch, count] = vertices.shape
  const workgroups = workgroupsFor(batch * count, 64)
  const unscaled = makeGpuTensor(backend, [batch, count, 3], 'float32')
  runGpuProgram(backend, unscaleNormals, {
    inputs: [upstream, normals, lengths],
    outputs: [unscaled],
    uniforms: [batch * count],
    workgroups,
  })
  runGpuProgram(backend, ringBackward, {
    inputs: [vertices, gpuConstant(backend, ringsOf(triangles, count)), unscaled],
    outputs: [gradient],
    uniforms: [count, batch],
    workgroups,
  })
  backend.disposeData(unscaled.dataId)
}
