import { type GpuProgram, load3, store3, wgslGroupSum, wgslMain } from '@facekit/kernels'
import { HARMONIC_FACTORS } from '../harmonic-factors.js'
import { TERMINATOR } from '../specular-constants.js'
import { CAMERA, LIGHT, access, harmonics, highlight, literal } from './light.js'

/** Points that a workgroup adds up. */
export const BLOCK = 256
const SIZE = 64

/** A program in which each workgroup goes through `BLOCK` points of a picture, and leaves sums of `count` numbers from `first` on. */
const summing = (count: number, first: number, visit: string, functions: string) => {
  const width = Math.ceil(count / 4)
  const sums = Array.from(
    { length: count },
    (_, k) => `work[at + ${first + k}u] = sums[${k >> 2}][${k & 3}];`,
  )
  return /* wgsl */ `${access}${functions}${wgslGroupSum(width, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      let item = group.y;
      for (var i = local; i < ${BLOCK}u; i += ${SIZE}u) {
        let place = group.x * ${BLOCK}u + i;
        if (place >= uniforms.points) { break; }
        let point = item * uniforms.points + place;
        ${visit}
      }
      let sums = groupSum(local, own);
      if (local == 0u) {
        let at = (uniforms.batch + item * groups.x + group.x) * ${LIGHT}u;
        ${sums.join(' ')}
      }`,
      SIZE,
    )}`
}

const addTo = (values: readonly string[]) =>
  values.map((value, k) => `own[${k >> 2}][${k & 3}] += ${value};`).join(' ')
const POLYNOMIALS = [
  '1.0',
  'n.y',
  'n.z',
  'n.x',
  'n.x * n.y',
  'n.y * n.z',
  '(3.0 * n.z * n.z - 1.0)',
  'n.x * n.z',
  '(n.x * n.x - n.y * n.y)',
]

/** `flags` of 1: there is a gradient of `shaded`; of 2: of `litDiffuse`. */
export const diffuseBackward: GpuProgram = {
  name: 'facekit_shade_diffuse_gradient',
  inputs: ['diffuse: f32', 'normals: f32', 'toShaded: f32', 'toLitDiffuse: f32'],
  outputs: ['work: f32', 'toDiffuse: f32', 'toNormals: f32'],
  uniforms: ['points: u32', 'batch: u32', 'flags: u32'],
  code: () =>
    summing(
      27,
      0,
      /* wgsl */ `
        var g = vec3<f32>();
        if ((uniforms.flags & 1u) != 0u) { g = ${load3('toShaded', '6u * point')}; }
        if ((uniforms.flags & 2u) != 0u) { g += ${load3('toLitDiffuse', '3u * point')}; }
        let n = ${load3('normals', '3u * point')};
        let h = g * ${load3('diffuse', '3u * point')};
        let lit = g * irradiance(item, n);
        ${store3('toDiffuse', '3u * point', 'lit')}
        let slope = vec3<f32>(
          dot(h, light3(item, 9u) + n.y * light3(item, 12u) + n.z * light3(item, 21u) + 2.0 * n.x * light3(item, 24u)),
          dot(h, light3(item, 3u) + n.x * light3(item, 12u) + n.z * light3(item, 15u) - 2.0 * n.y * light3(item, 24u)),
          dot(h, light3(item, 6u) + n.y * light3(item, 15u) + 6.0 * n.z * light3(item, 18u) + n.x * light3(item, 21u)));
        ${store3('toNormals', '3u * point', 'slope')}
        ${addTo(POLYNOMIALS.flatMap((basis) => [0, 1, 2].map((c) => `h[${c}] * ${basis}`)))}`,
      harmonics,
    ),
}

export const specularBackward: GpuProgram = {
  name: 'facekit_shade_specular_gradient',
  inputs: ['specular: f32', 'normals: f32', 'positions: f32', 'toShaded: f32'],
  outputs: ['work: f32', 'toSpecular: f32', 'toNormals: f32', 'toPositions: f32'],
  uniforms: ['points: u32', 'batch: u32', 'flags: u32', ...CAMERA],
  code: () =>
    summing(
      7,
      27,
      /* wgsl */ `
        let n = ${load3('normals', '3u * point')};
        let h = highlightAt(item, n, ${load3('positions', '3u * point')});
        var toAlbedo = vec3<f32>();
        var toPosition = vec3<f32>();
        if (h.strength > 0.0 && (uniforms.flags & 1u) != 0u) {
          let g = ${load3('toShaded', '6u * point + 3u')};
          let color = light3(item, 30u);
          let r = g * ${load3('specular', '3u * point')};
          toAlbedo = g * color * h.strength;
          let toStrength = dot(r, color);
          let toCosine = toStrength * h.strength * work[item * ${LIGHT}u + 33u] / h.cosine;
          // Smoothstep' = 6 t (1 - t).
          let toIncidence = toStrength * h.lobe * 6.0 * h.ramp * (1.0 - h.ramp) * ${1 / TERMINATOR}f;
          let bent = vec3<f32>(toNormals[3u * point], toNormals[3u * point + 1u], toNormals[3u * point + 2u])
            + toCosine * h.half + toIncidence * h.light;
          ${store3('toNormals', '3u * point', 'bent')}
          let middle = (toCosine * h.halfInverse) * (n - h.half * h.cosine);
          let towards = middle + toIncidence * n;
          let toLight = (towards - h.light * dot(towards, h.light)) * h.lightInverse;
          let toCamera = (middle - h.camera * dot(middle, h.camera)) * h.cameraInverse;
          toPosition = -toLight - toCamera;
          ${addTo([
            ...[0, 1, 2].map((c) => `toLight[${c}]`),
            ...[0, 1, 2].map((c) => `r[${c}] * h.strength`),
            'toStrength * h.strength * h.logarithm',
          ])}
        }
        ${store3('toSpecular', '3u * point', 'toAlbedo')}
        ${store3('toPositions', '3u * point', 'toPosition')}`,
      highlight,
    ),
}

/** One workgroup for each picture: the sums of all its workgroups. */
export const lightGradient: GpuProgram = {
  name: 'facekit_light_gradient',
  inputs: ['work: vec4<f32>'],
  outputs: ['toCoefficients: f32', 'toLightPosition: f32', 'toLightColor: f32', 'toShininess: f32'],
  uniforms: ['batch: u32', 'blocks: u32'],
  code: () => /* wgsl */ `
    const factors = array(${HARMONIC_FACTORS.map(literal).join()});
    ${wgslGroupSum(LIGHT / 4, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      let item = group.x;
      var own: Sums;
      for (var block = local; block < uniforms.blocks; block += ${SIZE}u) {
        let first = (uniforms.batch + item * uniforms.blocks + block) * ${LIGHT / 4}u;
        for (var i = 0u; i < ${LIGHT / 4}u; i++) { own[i] += work[first + i]; }
      }
      let sums = groupSum(local, own);
      if (local > 0u) { return; }
      for (var k = 0u; k < 27u; k++) { toCoefficients[item * 27u + k] = sums[k / 4u][k % 4u] * factors[k / 3u]; }
      for (var k = 0u; k < 3u; k++) {
        toLightPosition[item * 3u + k] = sums[(27u + k) / 4u][(27u + k) % 4u];
        toLightColor[item * 3u + k] = sums[(30u + k) / 4u][(30u + k) % 4u];
      }
      toShininess[item] = sums[8][1];`,
      SIZE,
    )}`,
}
