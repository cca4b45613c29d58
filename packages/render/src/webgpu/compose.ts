import {
  type GpuProgram,
  load3,
  makeGpuTensor,
  runGpuProgram,
  store3,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { GAMMA_EXPONENT, TOE, TOE_SLOPE } from '../gamma-curve.js'

/** What `composePictures` depends on beside tensors. */
export interface ComposeAttributes {
  /** Linear colour behind the face, where the background is not a picture. */
  color: readonly number[]
}

const gamma = /* wgsl */ `
  fn encode(linear: vec3<f32>) -> vec3<f32> {
    let x = clamp(linear, vec3<f32>(0.0), vec3<f32>(1.0));
    return select(pow(max(x, vec3<f32>(${TOE}f)), vec3<f32>(${GAMMA_EXPONENT}f)), x * ${TOE_SLOPE}f, x < vec3<f32>(${TOE}f));
  }
  /** Slope of the curve; 0 outside of 0..1. */
  fn slope(linear: vec3<f32>) -> vec3<f32> {
    let x = max(linear, vec3<f32>(${TOE}f));
    let curved = select(${GAMMA_EXPONENT}f * encode(x) / x, vec3<f32>(${TOE_SLOPE}f), linear < vec3<f32>(${TOE}f));
    return select(curved, vec3<f32>(0.0), (linear < vec3<f32>(0.0)) | (linear > vec3<f32>(1.0)));
  }
  fn behind(index: u32) -> vec3<f32> {
    if (uniforms.isPicture == 0u) { return vec3<f32>(uniforms.red, uniforms.green, uniforms.blue); }
    return ${load3('background', '3u * index')};
  }`

const UNIFORMS = ['pixels: u32', 'isPicture: u32', 'red: f32', 'green: f32', 'blue: f32']

const forward: GpuProgram = {
  name: 'facekit_compose',
  inputs: ['surface: vec4<f32>', 'background: f32'],
  outputs: ['image: f32', 'diffuse: f32', 'specular: f32', 'mask: f32', 'innerMouth: f32'],
  uniforms: UNIFORMS,
  code: /* wgsl */ `${gamma}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.pixels) { return; }
      let a = surface[2u * index];
      let b = surface[2u * index + 1u];
      let matt = a.xyz;
      let shine = vec3<f32>(a.w, b.xy);
      let whole = encode(matt + shine + (1.0 - b.z) * behind(index));
      let d = encode(matt);
      let s = encode(shine);
      ${store3('image', '3u * index', 'whole')}
      ${store3('diffuse', '3u * index', 'd')}
      ${store3('specular', '3u * index', 's')}
      mask[index] = b.z;
      innerMouth[index] = b.w;`)}`,
}

/** Bit i of `flags`: there is a gradient of picture i. */
const backward: GpuProgram = {
  name: 'facekit_compose_gradient',
  inputs: [
    'surface: vec4<f32>',
    'background: f32',
    'toImage: f32',
    'toDiffuse: f32',
    'toSpecular: f32',
    'toMask: f32',
    'toMouth: f32',
  ],
  outputs: ['toSurface: vec4<f32>'],
  uniforms: [...UNIFORMS, 'flags: u32'],
  code: /* wgsl */ `${gamma}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.pixels) { return; }
      let a = surface[2u * index];
      let b = surface[2u * index + 1u];
      let matt = a.xyz;
      let shine = vec3<f32>(a.w, b.xy);
      let around = behind(index);
      var g = vec3<f32>();
      if ((uniforms.flags & 1u) != 0u) {
        g = ${load3('toImage', '3u * index')} * slope(matt + shine + (1.0 - b.z) * around);
      }
      var d = g;
      var s = g;
      if ((uniforms.flags & 2u) != 0u) { d += ${load3('toDiffuse', '3u * index')} * slope(matt); }
      if ((uniforms.flags & 4u) != 0u) { s += ${load3('toSpecular', '3u * index')} * slope(shine); }
      var m = -dot(g, around);
      if ((uniforms.flags & 8u) != 0u) { m += toMask[index]; }
      var mouth = 0f;
      if ((uniforms.flags & 16u) != 0u) { mouth = toMouth[index]; }
      toSurface[2u * index] = vec4<f32>(d, s.x);
      toSurface[2u * index + 1u] = vec4<f32>(s.yz, m, mouth);`)}`,
}

const uniformsOf = (background: TensorInfo, pixels: number, { color }: ComposeAttributes) => [
  pixels,
  background.shape[0] > 0 ? 1 : 0,
  ...color,
]

/** `composePictures` on WebGPU, of the surface and a linear picture or nothing. */
export function composeOnGpu(
  backend: KernelBackend,
  [surface, background]: TensorInfo[],
  attributes: ComposeAttributes,
): TensorInfo[] {
  const size = surface.shape.slice(0, 3)
  const [batch, height, width] = size
  const outputs = [3, 3, 3, 1, 1].map((channels) => makeGpuTensor(backend, [...size, channels], 'float32'))
  const pixels = batch * height * width
  runGpuProgram(backend, forward, {
    inputs: [surface, background],
    outputs,
    uniforms: uniformsOf(background, pixels, attributes),
    workgroups: workgroupsFor(pixels, 64),
  })
  return outputs
}

/** Gradient of the surface, from those of the five pictures, each of which may be empty. */
export function composeGradientOnGpu(
  backend: KernelBackend,
  [surface, background, ...others]: TensorInfo[],
  attributes: ComposeAttributes,
): TensorInfo[] {
  const upstream = others.slice(0, 5)
  const [batch, height, width] = surface.shape
  const toSurface = makeGpuTensor(backend, surface.shape, 'float32')
  const pixels = batch * height * width
  const flags = upstream.reduce((bits, { shape }, i) => bits | (shape[0] > 0 ? 1 << i : 0), 0)
  runGpuProgram(backend, backward, {
    inputs: [surface, background, ...upstream],
    outputs: [toSurface],
    uniforms: [...uniformsOf(background, pixels, attributes), flags],
    workgroups: workgroupsFor(pixels, 64),
  })
  return [toSurface]
}
