import { type GpuProgram, gpuConstant, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { FootprintInfos } from './footprints.js'
import { gather, gatherPrograms } from './gather.js'
import { each, type Gathering } from './gathering.js'
import { byChannels, entry, GROUP_SIZE, linearIndex, vectors } from './snippets.js'

/* Contributor notes
 *
 * The number of channels is written into the programs: there is one of each kind for each number that occurs. Channels are read and
 * written four at a time where their number allows.
 */

/** First a thread for each pixel, then for each number, so that neighbours write side by side. */
const interpolateProgram = byChannels((channels): GpuProgram => {
  const [type, count] = vectors(channels)
  return {
    name: `facekit_interpolate_${channels}`,
    inputs: [`values: ${type}`, 'barycentrics: f32', 'ids: i32', 'triangles: i32'],
    outputs: [`result: ${type}`],
    // The pixels of the batch and of one picture, and the values of one picture's attributes, 0 when they are shared.
    uniforms: ['pixels: u32', 'perItem: u32', 'stride: u32'],
    code: /* wgsl */ `${linearIndex}
    var<workgroup> corners: array<vec4<u32>, ${GROUP_SIZE}>;
    var<workgroup> weights: array<vec4<f32>, ${GROUP_SIZE}>;
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let first = linearIndex(group, groups, 0u);
      let q = first + local;
      var places = vec4<u32>(0u);
      var parts = vec4<f32>(0.0);
      if (q < uniforms.pixels) {
        let id = ids[q];
        if (id >= 0) {
          let base = q / uniforms.perItem * uniforms.stride;
          let f = 3 * id;
          places = base + ${count}u * vec4<u32>(vec3<u32>(vec3<i32>(triangles[f], triangles[f + 1], triangles[f + 2])), 0u);
          places.w = 1u;
          parts = vec4<f32>(barycentrics[3u * q], barycentrics[3u * q + 1u], barycentrics[3u * q + 2u], 0.0);
        }
      }
      corners[local] = places;
      weights[local] = parts;
      workgroupBarrier();
      if (first >= uniforms.pixels) { return; }
      let end = min(uniforms.pixels - first, ${GROUP_SIZE}u) * ${count}u;
      for (var i = local; i < end; i += ${GROUP_SIZE}u) {
        let pixel = i / ${count}u;
        let place = corners[pixel];
        var value = ${type}(0.0);
        if (place.w == 1u) {
          let k = i % ${count}u;
          let part = weights[pixel];
          value = part.x * values[place.x + k] + part.y * values[place.y + k] + part.z * values[place.z + k];
        }
        result[first * ${count}u + i] = value;
      }
    }`,
  }
})

const barycentricsProgram = byChannels((channels): GpuProgram => {
  const [type, count] = vectors(channels)
  const product = count === channels ? 'g * ' : 'dot(g, '
  const close = count === channels ? '' : ')'
  return {
    name: `facekit_interpolate_barycentrics_${channels}`,
    inputs: [`values: ${type}`, 'ids: i32', `upstream: ${type}`, 'triangles: i32'],
    outputs: ['result: f32'],
    uniforms: ['pixels: u32', 'perItem: u32', 'stride: u32'],
    code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let q = linearIndex(group, groups, local);
      if (q >= uniforms.pixels) { return; }
      let id = ids[q];
      var slope = vec3<f32>(0.0);
      if (id >= 0) {
        let base = q / uniforms.perItem * uniforms.stride;
        let f = 3 * id;
        let places = base + ${count}u * vec3<u32>(vec3<i32>(triangles[f], triangles[f + 1], triangles[f + 2]));
        for (var k = 0u; k < ${count}u; k++) {
          let g = upstream[q * ${count}u + k];
          slope.x += ${product}values[places.x + k]${close};
          slope.y += ${product}values[places.y + k]${close};
          slope.z += ${product}values[places.z + k]${close};
        }
      }
      result[3u * q] = slope.x;
      result[3u * q + 1u] = slope.y;
      result[3u * q + 2u] = slope.z;
    }`,
  }
})

/** Numbers that a thread adds up at a time. */
const MOST_SUMS = 12

const valuesGathering = (lanes: 1 | 4 | 16) =>
  byChannels((channels) => {
    const parts = Math.ceil(channels / MOST_SUMS)
    const sums = Math.ceil(channels / parts)
    // The last part may be short.
    const guard = (k: number) => (parts * sums === channels ? '' : `if (offset + ${k} < ${channels}) `)
    const gathering: Gathering = {
      name: `facekit_interpolate_values_${channels}_${lanes}`,
      inputs: ['barycentrics: f32', 'upstream: f32'],
      output: 'gradient: f32',
      uniforms: [],
      sums,
      parts,
      lanes,
      code: /* wgsl */ `
        var<private> chosen: i32;
        var<private> offset: i32;
        fn begin(item: i32, f: i32, corner: i32, part: i32) {
          chosen = corner;
          offset = part * ${sums};
        }
        fn add(q: i32, column: i32, row: i32) {
          let weight = barycentrics[3 * q + chosen];
          let place = q * ${channels} + offset;
          ${each(sums, (k) => `${guard(k)}{ sum${k} += weight * upstream[place + ${k}]; }`)}
        }`,
      finish: /* wgsl */ `
        fn finish(item: i32, vertex: i32, part: i32) {
          let offset = part * ${sums};
          let place = (item * uniforms.vertexCount + vertex) * ${channels} + offset;
          ${each(sums, (k) => `${guard(k)}{ gradient[place + ${k}] = sum${k}; }`)}
        }`,
    }
    return { gathering, programs: gatherPrograms(gathering) }
  })
const sharedValues = valuesGathering(4)
/** For meshes of few vertices, which would leave most of a GPU idle. */
const sharedValuesOfFew = valuesGathering(16)
const FEW = 16384
const ownValues = valuesGathering(1)

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

function run(
  backend: KernelBackend,
  program: GpuProgram,
  inputs: TensorInfo[],
  ids: TensorInfo,
  { triangles, shape: [batch, count, channels] }: Attributes,
  output: TensorInfo,
): void {
  const pixels = util.sizeFromShape(ids.shape)
  const [, values] = vectors(channels)
  runGpuProgram(backend, program, {
    inputs: [...inputs, gpuConstant(backend, triangles)],
    outputs: [output],
    uniforms: [pixels, ids.shape[1] * ids.shape[2], batch === 1 ? 0 : count * values],
    workgroups: workgroupsFor(pixels, GROUP_SIZE),
  })
}

/** `interpolate` on WebGPU. */
export function interpolateOnGpu(
  backend: KernelBackend,
  { attributes: values, barycentrics, ids }: Record<'attributes' | 'barycentrics' | 'ids', TensorInfo>,
  { picture }: { picture: TensorInfo },
  attributes: Attributes,
): void {
  const program = interpolateProgram(attributes.shape[2])
  run(backend, program, [values, barycentrics, ids], ids, attributes, picture)
}

/** Gradient of the barycentrics on WebGPU. */
export function interpolateBarycentricsGradientOnGpu(
  backend: KernelBackend,
  { attributes: values, ids, upstream }: Record<'attributes' | 'ids' | 'upstream', TensorInfo>,
  { gradient }: { gradient: TensorInfo },
  attributes: Attributes,
): void {
  const program = barycentricsProgram(attributes.shape[2])
  run(backend, program, [values, ids, upstream], ids, attributes, gradient)
}

/** Gradient of the attributes on WebGPU; finds footprints if none are given. */
export function interpolateAttributesGradientOnGpu(
  backend: KernelBackend,
  {
    barycentrics,
    ids,
    upstream,
    ...footprints
  }: Record<'barycentrics' | 'ids' | 'upstream', TensorInfo> & Partial<FootprintInfos>,
  { gradient }: { gradient: TensorInfo },
  { triangles, shape }: Attributes,
): void {
  const shared = shape[0] === 1 && ids.shape[0] > 1
  const kind = shared ? (shape[1] < FEW ? sharedValuesOfFew : sharedValues) : ownValues
  const { gathering, programs } = kind(shape[2])
  const inputs = [barycentrics, upstream]
  gather(backend, gathering, programs, ids, triangles, shape[1], inputs, [], gradient, footprints)
}
