import { type GpuProgram, load3, store3, wgslMain } from '@facekit/kernels'
import { HARMONIC_FACTORS } from '../harmonic-factors.js'
import { SMALLEST_SQUARE, TERMINATOR } from '../specular-constants.js'

/* Contributor notes
 *
 * The light of all pictures lies in one buffer, `work`: for each picture 27 factors of the polynomials of the harmonics, row by row
 * as the coefficients, the light's position at 27, its colour at 30, the shininess at 33. In the backward pass there is room behind the last
 * picture for the sums of the gradient, in the same order, for each workgroup: they share a buffer because WebGPU promises 8 storage
 * buffers only. The two gradient programs are two for the same reason.
 */

/** Numbers of a picture's light, with padding. */
export const LIGHT = 36

export const packLight: GpuProgram = {
  name: 'facekit_light_pack',
  inputs: ['coefficients: f32', 'lightPosition: f32', 'lightColor: f32', 'shininess: f32'],
  outputs: ['work: f32'],
  uniforms: ['batch: u32'],
  code: () => /* wgsl */ `
    const factors = array(${HARMONIC_FACTORS.map(literal).join()});
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.batch * ${LIGHT}u) { return; }
      let item = index / ${LIGHT}u;
      let k = index % ${LIGHT}u;
      var value = 0f;
      if (k < 27u) { value = factors[k / 3u] * coefficients[item * 27u + k]; }
      else if (k < 30u) { value = lightPosition[item * 3u + k - 27u]; }
      else if (k < 33u) { value = lightColor[item * 3u + k - 30u]; }
      else if (k == 33u) { value = shininess[item]; }
      work[index] = value;`)}`,
}

export const literal = (value: number) => `${Math.fround(value)}f`

export const access = /* wgsl */ `
  fn light3(item: u32, k: u32) -> vec3<f32> {
    let i = item * ${LIGHT}u + k;
    return vec3<f32>(work[i], work[i + 1u], work[i + 2u]);
  }`

export const harmonics = /* wgsl */ `
  fn irradiance(item: u32, n: vec3<f32>) -> vec3<f32> {
    return light3(item, 0u) + n.y * light3(item, 3u) + n.z * light3(item, 6u) + n.x * light3(item, 9u)
      + n.x * n.y * light3(item, 12u) + n.y * n.z * light3(item, 15u) + (3.0 * n.z * n.z - 1.0) * light3(item, 18u)
      + n.x * n.z * light3(item, 21u) + (n.x * n.x - n.y * n.y) * light3(item, 24u);
  }`

/** Blinn-Phong at a point, and all that its gradient needs; `strength` is 0 where there is no highlight. */
export const highlight = /* wgsl */ `
  struct Highlight {
    light: vec3<f32>, camera: vec3<f32>, half: vec3<f32>,
    lightInverse: f32, cameraInverse: f32, halfInverse: f32,
    cosine: f32, logarithm: f32, lobe: f32, ramp: f32, strength: f32,
  }
  fn inverseLength(v: vec3<f32>) -> f32 { return inverseSqrt(max(dot(v, v), ${SMALLEST_SQUARE})); }
  /** Near 1, where highlights are, the logarithm of hardware has few digits. */
  fn logarithmOf(x: f32) -> f32 {
    if (x < 0.7) { return log(x); }
    let z = (x - 1.0) / (x + 1.0);
    let s = z * z;
    return 2.0 * z * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0)))));
  }
  fn highlightAt(item: u32, n: vec3<f32>, position: vec3<f32>) -> Highlight {
    var h: Highlight;
    let toLight = light3(item, 27u) - position;
    h.lightInverse = inverseLength(toLight);
    h.light = toLight * h.lightInverse;
    let incidence = dot(n, h.light);
    if (!(incidence > 0.0)) { return h; }
    let toCamera = vec3<f32>(uniforms.cameraX, uniforms.cameraY, uniforms.cameraZ) - position;
    h.cameraInverse = inverseLength(toCamera);
    h.camera = toCamera * h.cameraInverse;
    h.halfInverse = inverseLength(h.light + h.camera);
    h.half = (h.light + h.camera) * h.halfInverse;
    h.cosine = dot(n, h.half);
    if (!(h.cosine > 0.0)) { return h; }
    h.logarithm = logarithmOf(h.cosine);
    h.lobe = exp(work[item * ${LIGHT}u + 33u] * h.logarithm);
    h.ramp = min(1.0, incidence * ${1 / TERMINATOR}f);
    h.strength = h.lobe * h.ramp * h.ramp * (3.0 - 2.0 * h.ramp);
    return h;
  }`

export const CAMERA = ['cameraX: f32', 'cameraY: f32', 'cameraZ: f32'] as const

export const shadeForward: GpuProgram = {
  name: 'facekit_shade',
  inputs: ['diffuse: f32', 'specular: f32', 'normals: f32', 'positions: f32', 'work: f32'],
  outputs: ['shaded: f32', 'litDiffuse: f32'],
  uniforms: ['points: u32', 'batch: u32', ...CAMERA],
  code: () => /* wgsl */ `${access}${harmonics}${highlight}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.points * uniforms.batch) { return; }
      let item = index / uniforms.points;
      let point = index;
      let n = ${load3('normals', '3u * point')};
      let lit = ${load3('diffuse', '3u * point')} * irradiance(item, n);
      let h = highlightAt(item, n, ${load3('positions', '3u * point')});
      let specularColor = ${load3('specular', '3u * point')} * light3(item, 30u) * h.strength;
      ${store3('litDiffuse', '3u * point', 'lit')}
      ${store3('shaded', '6u * point', 'lit')}
      ${store3('shaded', '6u * point + 3u', 'specularColor')}`)}`,
}
