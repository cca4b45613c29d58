import { type GpuProgram, runGpuProgram, wgslMain, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

const UNIFORMS = ['pixels: u32', 'faceTriangles: i32']

const forward: GpuProgram = {
  name: 'facekit_surface_channels',
  inputs: ['colors: vec2<f32>', 'ids: i32'],
  outputs: ['surface: vec4<f32>'],
  uniforms: UNIFORMS,
  code: wgslMain(/* wgsl */ `
    if (index >= uniforms.pixels) { return; }
    let id = ids[index];
    var a = vec4<f32>();
    var b = vec4<f32>(0.0, 0.0, 0.0, select(0.0, 1.0, id >= uniforms.faceTriangles));
    if (id >= 0 && id < uniforms.faceTriangles) {
      a = vec4<f32>(colors[3u * index], colors[3u * index + 1u]);
      b = vec4<f32>(colors[3u * index + 2u], 1.0, 0.0);
    }
    surface[2u * index] = a;
    surface[2u * index + 1u] = b;`),
}

const backward: GpuProgram = {
  name: 'facekit_surface_channels_gradient',
  inputs: ['upstream: vec4<f32>', 'ids: i32'],
  outputs: ['toColors: vec2<f32>'],
  uniforms: UNIFORMS,
  code: wgslMain(/* wgsl */ `
    if (index >= uniforms.pixels) { return; }
    let id = ids[index];
    var a = vec4<f32>();
    var b = vec2<f32>();
    if (id >= 0 && id < uniforms.faceTriangles) {
      a = upstream[2u * index];
      b = upstream[2u * index + 1u].xy;
    }
    toColors[3u * index] = a.xy;
    toColors[3u * index + 1u] = a.zw;
    toColors[3u * index + 2u] = b;`),
}

const runner =
  (program: GpuProgram) =>
  (backend: KernelBackend, inputs: TensorInfo[], output: TensorInfo, faceTriangles: number): void => {
    const [batch, height, width] = inputs[0].shape
    const pixels = batch * height * width
    runGpuProgram(backend, program, {
      inputs,
      outputs: [output],
      uniforms: [pixels, faceTriangles],
      workgroups: workgroupsFor(pixels, 64),
    })
  }

/** `surfaceChannels` on WebGPU, of colours and triangles. */
export const surfaceChannelsOnGpu = runner(forward)
/** Gradient of the colours, from that of the surface, and the triangles. */
export const surfaceChannelsGradientOnGpu = runner(backward)
