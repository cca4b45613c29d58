import { type GpuProgram, load3, runGpuProgram, store3, wgslMain, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { GAMMA_EXPONENT, TOE, TOE_SLOPE } from '../gamma-curve.js'

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
      let diffuseLight = a.xyz;
      let specularLight = vec3<f32>(a.w, b.xy);
      let whole = encode(diffuseLight + specularLight + (1.0 - b.z) * behind(index));
      let d = encode(diffuseLight);
      let s = encode(specularLight);
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
    'toInnerMouth: f32',
  ],
  outputs: ['toSurface: vec4<f32>'],
  uniforms: [...UNIFORMS, 'flags: u32'],
  code: /* wgsl */ `${gamma}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.pixels) { return; }
      let a = surface[2u * index];
      let b = surface[2u * index + 1u];
      let diffuseLight = a.xyz;
      let specularLight = vec3<f32>(a.w, b.xy);
      let around = behind(index);
      var g = vec3<f32>();
      if ((uniforms.flags & 1u) != 0u) {
        g = ${load3('toImage', '3u * index')} * slope(diffuseLight + specularLight + (1.0 - b.z) * around);
      }
      var d = g;
      var s = g;
      if ((uniforms.flags & 2u) != 0u) { d += ${load3('toDiffuse', '3u * index')} * slope(diffuseLight); }
      if ((uniforms.flags & 4u) != 0u) { s += ${load3('toSpecular', '3u * index')} * slope(specularLight); }
      var m = -dot(g, around);
      if ((uniforms.flags & 8u) != 0u) { m += toMask[index]; }
      var mouth = 0f;
      if ((uniforms.flags & 16u) != 0u) { mouth = toInnerMouth[index]; }
      toSurface[2u * index] = vec4<f32>(d, s.x);
      toSurface[2u * index + 1u] = vec4<f32>(s.yz, m, mouth);`)}`,
}

const uniformsOf = (background: TensorInfo | undefined, pixels: number, color: readonly number[]) => [
  pixels,
  background ? 1 : 0,
  ...color,
]

interface Surface {
  readonly surface: TensorInfo
  readonly background?: TensorInfo | undefined
}

/** `composePictures` on WebGPU, of the surface and a linear picture, if there is one. */
export function composeOnGpu(
  backend: KernelBackend,
  { surface, background }: Surface,
  pictures: Readonly<Record<'image' | 'diffuse' | 'specular' | 'mask' | 'innerMouth', TensorInfo>>,
  color: readonly number[],
): void {
  const [batch, height, width] = surface.shape
  const pixels = batch * height * width
  const { image, diffuse, specular, mask, innerMouth } = pictures
  runGpuProgram(backend, forward, {
    inputs: [surface, background],
    outputs: [image, diffuse, specular, mask, innerMouth],
    uniforms: uniformsOf(background, pixels, color),
    workgroups: workgroupsFor(pixels, 64),
  })
}

interface Upstream {
  readonly toImage?: TensorInfo | undefined
  readonly toDiffuse?: TensorInfo | undefined
  readonly toSpecular?: TensorInfo | undefined
  readonly toMask?: TensorInfo | undefined
  readonly toInnerMouth?: TensorInfo | undefined
}

/** Gradient of the surface, from those of the pictures that somebody depends on. */
export function composeGradientOnGpu(
  backend: KernelBackend,
  { surface, background, toImage, toDiffuse, toSpecular, toMask, toInnerMouth }: Surface & Upstream,
  toSurface: TensorInfo,
  color: readonly number[],
): void {
  const upstream = [toImage, toDiffuse, toSpecular, toMask, toInnerMouth]
  const [batch, height, width] = surface.shape
  const pixels = batch * height * width
  const flags = upstream.reduce((bits, gradient, i) => bits | (gradient ? 1 << i : 0), 0)
  runGpuProgram(backend, backward, {
    inputs: [surface, background, ...upstream],
    outputs: [toSurface],
    uniforms: [...uniformsOf(background, pixels, color), flags],
    workgroups: workgroupsFor(pixels, 64),
  })
}
