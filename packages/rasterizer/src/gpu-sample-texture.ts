import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { makeOutput, runProgram, type GpuProgram } from './gpu-program.js'
import { scatter, scatterProgram } from './gpu-scatter.js'
import type { TextureWrap } from './texture-arrays.js'

/** `lookUps` are those of one picture, `stride` the numbers of one picture's texture, 0 when it is shared. */
const uniforms = ['lookUps', 'stride', 'rows', 'columns', 'channels', 'repeated', 'lowerLeft']

/** WGSL: the four texels around look-up q; as `locate` in texture-arrays.ts. */
const locate = /* wgsl */ `
  struct Corners {
    upperLeft : i32, upperRight : i32, lowerLeft : i32, lowerRight : i32,
    right : f32, lower : f32,
    valid : bool,
  }
  fn wrapIndex(index : f32, size : i32) -> i32 {
    let count = f32(size);
    if (uniforms.repeated == 1) { return i32(clamp(index - floor(index / count) * count, 0.0, count - 1.0)); }
    return i32(clamp(index, 0.0, count - 1.0));
  }
  fn isFinite(value : f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
  fn locate(q : i32) -> Corners {
    var corners : Corners;
    let u = f32(uv[2 * q]);
    var v = f32(uv[2 * q + 1]);
    corners.valid = isFinite(u) && isFinite(v);
    if (!corners.valid) { return corners; }
    if (uniforms.lowerLeft == 1) { v = 1.0 - v; }
    let x = fma(u, f32(uniforms.columns), -0.5);
    let y = fma(v, f32(uniforms.rows), -0.5);
    let left = floor(x);
    let upper = floor(y);
    let x0 = wrapIndex(left, uniforms.columns) * uniforms.channels;
    let x1 = wrapIndex(left + 1.0, uniforms.columns) * uniforms.channels;
    let base = q / uniforms.lookUps * uniforms.stride;
    let y0 = base + wrapIndex(upper, uniforms.rows) * uniforms.columns * uniforms.channels;
    let y1 = base + wrapIndex(upper + 1.0, uniforms.rows) * uniforms.columns * uniforms.channels;
    corners.upperLeft = y0 + x0;
    corners.upperRight = y0 + x1;
    corners.lowerLeft = y1 + x0;
    corners.lowerRight = y1 + x1;
    corners.right = x - left;
    corners.lower = y - upper;
    return corners;
  }`

const program: GpuProgram = {
  name: 'facekit_sample_texture',
  inputs: ['texels', 'uv'],
  uniforms,
  code: /* wgsl */ `${locate}
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let c = locate(index / uniforms.channels);
      let k = index % uniforms.channels;
      var value = 0.0;
      if (c.valid) {
        let upperValue = f32(texels[c.upperLeft + k]) * (1.0 - c.right) + f32(texels[c.upperRight + k]) * c.right;
        let lowerValue = f32(texels[c.lowerLeft + k]) * (1.0 - c.right) + f32(texels[c.lowerRight + k]) * c.right;
        value = upperValue * (1.0 - c.lower) + lowerValue * c.lower;
      }
      result[index] = value;
    }`,
}

const coordinateProgram: GpuProgram = {
  name: 'facekit_sample_texture_coordinates',
  inputs: ['texels', 'uv', 'upstream'],
  uniforms,
  code: /* wgsl */ `${locate}
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let corners = locate(index);
      var du = 0.0;
      var dv = 0.0;
      if (corners.valid) {
        for (var k = 0; k < uniforms.channels; k++) {
          let g = f32(upstream[index * uniforms.channels + k]);
          let a = f32(texels[corners.upperLeft + k]);
          let b = f32(texels[corners.upperRight + k]);
          let c = f32(texels[corners.lowerLeft + k]);
          let d = f32(texels[corners.lowerRight + k]);
          du += g * ((b - a) * (1.0 - corners.lower) + (d - c) * corners.lower);
          dv += g * ((c - a) * (1.0 - corners.right) + (d - b) * corners.right);
        }
      }
      result[2 * index] = du * f32(uniforms.columns);
      result[2 * index + 1] = dv * f32(select(uniforms.rows, -uniforms.rows, uniforms.lowerLeft == 1));
    }`,
}

const texelProgram = scatterProgram(
  'facekit_sample_texture_texels',
  ['uv', 'upstream'],
  uniforms,
  /* wgsl */ `${locate}
    fn contribute(index : i32) {
      let c = locate(index / uniforms.channels);
      if (!c.valid) { return; }
      let k = index % uniforms.channels;
      let g = f32(upstream[index]);
      emit(c.upperLeft + k, g * (1.0 - c.right) * (1.0 - c.lower));
      emit(c.upperRight + k, g * c.right * (1.0 - c.lower));
      emit(c.lowerLeft + k, g * (1.0 - c.right) * c.lower);
      emit(c.lowerRight + k, g * c.right * c.lower);
    }`,
)

interface Attributes {
  /** Shape of the texture. */
  shape: number[]
  wrap: TextureWrap
  lowerLeft: boolean
}

function uniformsOf(uv: TensorInfo, { shape, wrap, lowerLeft }: Attributes): number[] {
  const [batch, rows, columns, channels] = shape
  const stride = batch === 1 ? 0 : rows * columns * channels
  const flags = [wrap === 'repeat' ? 1 : 0, lowerLeft ? 1 : 0]
  return [uv.shape[1] * uv.shape[2], stride, rows, columns, channels, ...flags]
}

/** `sampleTexture` on WebGPU. */
export function sampleTextureOnGpu(
  backend: KernelBackend,
  [texture, uv]: TensorInfo[],
  attributes: Attributes,
): TensorInfo[] {
  const output = makeOutput(backend, [...uv.shape.slice(0, 3), attributes.shape[3]], 'float32')
  const threads = util.sizeFromShape(output.shape)
  return [runProgram(backend, program, [texture, uv], uniformsOf(uv, attributes), threads, output)]
}

/** Gradient of the coordinates. */
export function sampleTextureCoordinateGradientOnGpu(
  backend: KernelBackend,
  [texture, uv, upstream]: TensorInfo[],
  attributes: Attributes,
): TensorInfo[] {
  const output = makeOutput(backend, uv.shape, 'float32')
  const inputs = [texture, uv, upstream]
  const threads = util.sizeFromShape(uv.shape) / 2
  return [runProgram(backend, coordinateProgram, inputs, uniformsOf(uv, attributes), threads, output)]
}

/** Gradient of the texture. */
export function sampleTextureGradientOnGpu(
  backend: KernelBackend,
  [uv, upstream]: TensorInfo[],
  attributes: Attributes,
): TensorInfo[] {
  const threads = util.sizeFromShape(upstream.shape)
  const uniformValues = uniformsOf(uv, attributes)
  return [scatter(backend, texelProgram, [uv, upstream], uniformValues, threads, 4, attributes.shape)]
}
