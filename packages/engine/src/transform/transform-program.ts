import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { GROUP, GROUP_PARAMETERS } from '../webgpu/columns.js'
import { transformedShape, type TransformAttributes } from './transform-geometry.js'

/** `tf.image.transform` on WebGPU; the same as `transformArrays`. */
export function transformOnGpu(
  backend: KernelBackend,
  image: TensorInfo,
  transforms: TensorInfo,
  attributes: TransformAttributes,
): TensorInfo {
  const [, height, width, channels] = image.shape
  const shape = transformedShape(image, attributes)
  const result = makeGpuTensor(backend, shape, 'float32')
  const size = util.sizeFromShape(shape)
  runGpuProgram(backend, program, {
    inputs: [image, transforms],
    outputs: [result],
    uniforms: [
      size,
      height,
      width,
      channels,
      shape[1],
      shape[2],
      transforms.shape[0],
      FILL_MODES.indexOf(attributes.fillMode),
      Number(attributes.interpolation === 'nearest'),
      attributes.fillValue,
    ],
    workgroups: workgroupsFor(size, 64),
  })
  return result
}

const FILL_MODES: TransformAttributes['fillMode'][] = ['constant', 'nearest', 'reflect', 'wrap']

const program: GpuProgram = {
  name: 'facekit_transform',
  inputs: ['image: f32', 'transforms: f32'],
  outputs: ['result: f32'],
  uniforms: [
    'size: u32',
    ...['height', 'width', 'channels', 'outHeight', 'outWidth', 'transforms', 'fillMode', 'nearest'].map(
      (name) => `${name}: i32`,
    ),
    'fillValue: f32',
  ],
  code: /* wgsl */ `
    fn placeOf(place: f32, size: f32) -> f32 {
      if (uniforms.fillMode == 0 || (place >= 0.0 && place <= size - 1.0)) { return place; }
      if (size <= 1.0) { return 0.0; }
      var at = place;
      if (uniforms.fillMode == 2) {
        let period = 2.0 * size;
        if (at < 0.0) {
          at += period * trunc(-at / period);
          at = select(-at - 1.0, at + period, at < -size);
        } else {
          at -= period * trunc(at / period);
          at = select(at, period - at - 1.0, at >= size);
        }
      } else if (uniforms.fillMode == 3) {
        let turns = trunc(abs(at) / (size - 1.0));
        at = select(at - size * turns, at + size * (turns + 1.0), at < 0.0);
      }
      return min(max(at, 0.0), size - 1.0);
    }
    fn pixelAt(picture: i32, y: i32, x: i32, channel: i32) -> f32 {
      if (y < 0 || y >= uniforms.height || x < 0 || x >= uniforms.width) { return uniforms.fillValue; }
      return image[((picture * uniforms.height + y) * uniforms.width + x) * uniforms.channels + channel];
    }
    @compute @workgroup_size(64)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * 64u + local;
      if (index >= uniforms.size) { return; }
      let channel = i32(index) % uniforms.channels;
      let pixel = i32(index) / uniforms.channels;
      let column = f32(pixel % uniforms.outWidth);
      let row = f32((pixel / uniforms.outWidth) % uniforms.outHeight);
      let picture = pixel / (uniforms.outWidth * uniforms.outHeight);
      let t = select(8 * picture, 0, uniforms.transforms == 1);
      let scale = transforms[t + 6] * column + transforms[t + 7] * row + 1.0;
      if (scale == 0.0) {
        result[index] = uniforms.fillValue;
        return;
      }
      let x = placeOf((transforms[t] * column + transforms[t + 1] * row + transforms[t + 2]) / scale, f32(uniforms.width));
      let y = placeOf((transforms[t + 3] * column + transforms[t + 4] * row + transforms[t + 5]) / scale, f32(uniforms.height));
      if (uniforms.nearest == 1) {
        result[index] = pixelAt(picture, i32(floor(y + 0.5)), i32(floor(x + 0.5)), channel);
        return;
      }
      let top = floor(y);
      let left = floor(x);
      let down = y - top;
      let right = x - left;
      let i = i32(top);
      let j = i32(left);
      let above = (1.0 - right) * pixelAt(picture, i, j, channel) + right * pixelAt(picture, i, j + 1, channel);
      let below = (1.0 - right) * pixelAt(picture, i + 1, j, channel) + right * pixelAt(picture, i + 1, j + 1, channel);
      result[index] = (1.0 - down) * above + down * below;
    }`,
}
