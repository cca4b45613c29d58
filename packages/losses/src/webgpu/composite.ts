import { gammaCurve } from '@facekit/core'
import { load3, runGpuProgram, store3, wgslMain, workgroupsFor, type GpuProgram } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'

const { exponent, toe, toeSlope, encodedToe } = gammaCurve
const splat = (value: number) => `vec3<f32>(${value})`

/** WGSL: the curve, its slopes and `compositeOf`, as `cpu/composite.ts` has them. */
const functions = /* wgsl */ `
  fn decode(encoded: vec3<f32>) -> vec3<f32> {
    let power = pow(max(encoded, ${splat(encodedToe)}), ${splat(1 / exponent)});
    return select(power, encoded / ${toeSlope}, encoded < ${splat(encodedToe)});
  }
  fn encode(linear: vec3<f32>) -> vec3<f32> {
    let power = pow(clamp(linear, ${splat(toe)}, vec3<f32>(1.0)), ${splat(exponent)});
    return select(power, linear * ${toeSlope}, linear < ${splat(toe)});
  }
  fn decodeSlope(encoded: vec3<f32>) -> vec3<f32> {
    let power = ${1 / exponent} * pow(max(encoded, ${splat(encodedToe)}), ${splat(1 / exponent - 1)});
    return select(power, ${splat(1 / toeSlope)}, encoded < ${splat(encodedToe)});
  }
  fn encodeSlope(linear: vec3<f32>) -> vec3<f32> {
    let power = ${exponent} * pow(max(linear, ${splat(toe)}), ${splat(exponent - 1)});
    let rising = select(power, ${splat(toeSlope)}, linear < ${splat(toe)});
    return select(rising, vec3<f32>(0.0), linear > vec3<f32>(1.0));
  }
  fn compositeOf(rendered: vec3<f32>, behind: vec3<f32>, mask: f32) -> vec3<f32> {
    if (mask == 1.0) { return rendered; }
    if (mask == 0.0 && all(rendered == vec3<f32>(0.0))) { return behind; }
    let color = encode(decode(rendered) + (1.0 - mask) * decode(behind));
    // Of NaN only the bits tell: WGSL lets comparisons and clamps take it for a number.
    let isNaN = (bitcast<vec3<u32>>(rendered) & vec3<u32>(0x7fffffffu)) > vec3<u32>(0x7f800000u);
    return select(color, rendered, isNaN);
  }`

const INPUTS = ['rendered: f32', 'behind: f32', 'mask: f32']

const forward: GpuProgram = {
  name: 'facekit_composite_over',
  inputs: INPUTS,
  outputs: ['composite: f32'],
  uniforms: ['pixels: u32'],
  code: /* wgsl */ `${functions}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.pixels) { return; }
      let color = compositeOf(${load3('rendered', '3u * index')}, ${load3('behind', '3u * index')}, mask[index]);
      ${store3('composite', '3u * index', 'color')}`)}`,
}

const backward: GpuProgram = {
  name: 'facekit_composite_over_gradient',
  inputs: [...INPUTS, 'upstream: f32'],
  outputs: ['toRendered: f32', 'toMask: f32'],
  uniforms: ['pixels: u32'],
  code: /* wgsl */ `${functions}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.pixels) { return; }
      let face = ${load3('rendered', '3u * index')};
      let light = decode(${load3('behind', '3u * index')});
      let given = ${load3('upstream', '3u * index')};
      let slope = given * encodeSlope(decode(face) + (1.0 - mask[index]) * light);
      let toFace = select(slope * decodeSlope(face), given, vec3<bool>(mask[index] == 1.0));
      ${store3('toRendered', '3u * index', 'toFace')}
      toMask[index] = -dot(slope, light);`)}`,
}

const run = (
  backend: KernelBackend,
  program: GpuProgram,
  mask: TensorInfo,
  inputs: TensorInfo[],
  outputs: TensorInfo[],
) => {
  const pixels = util.sizeFromShape(mask.shape)
  runGpuProgram(backend, program, {
    inputs,
    outputs,
    uniforms: [pixels],
    workgroups: workgroupsFor(pixels, 64),
  })
}

interface Layers {
  readonly rendered: TensorInfo
  readonly behind: TensorInfo
  readonly mask: TensorInfo
}

/** `compositeOver` on WebGPU. */
export const compositeOnGpu = (
  backend: KernelBackend,
  { rendered, behind, mask }: Layers,
  composite: TensorInfo,
): void => run(backend, forward, mask, [rendered, behind, mask], [composite])

/** Gradients of what was rendered and of the mask. */
export const compositeGradientOnGpu = (
  backend: KernelBackend,
  { rendered, behind, mask, upstream }: Layers & { readonly upstream: TensorInfo },
  gradients: { readonly rendered: TensorInfo; readonly mask: TensorInfo },
): void =>
  run(backend, backward, mask, [rendered, behind, mask, upstream], [gradients.rendered, gradients.mask])
