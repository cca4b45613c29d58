import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import {
  blockBegin,
  changeBasis,
  eachPlace,
  FILTER,
  FILTER_GRADIENT,
  GRADIENT,
  PATCH,
  RESULT,
} from './winograd-code.js'
import type { GpuFinishCode } from '../matmul/finish.js'

interface Size {
  height: number
  width: number
}

/** Blocks of 2 x 2 results that cover a picture. */
const blocksOf = ({ height, width }: Size) => ({ down: Math.ceil(height / 2), across: Math.ceil(width / 2) })

/** Patches of 4 x 4 pixels, 2 apart: `[B, H, W, C]` to `[16, blocks, C]`. */
export function changePatches(
  backend: KernelBackend,
  x: TensorInfo,
  out: Size,
  top: number,
  left: number,
): TensorInfo {
  const [batch, height, width, channels] = x.shape
  const { down, across } = blocksOf(out)
  const blocks = batch * down * across
  const result = makeGpuTensor(backend, [16, blocks, channels], 'float32')
  const size = (blocks * channels) / 4
  runGpuProgram(
    backend,
    {
      name: 'facekit_winograd_patches',
      inputs: ['x: vec4<f32>'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['size', 'quads', 'height', 'width', 'down', 'across', 'top', 'left'].map(
        (name) => `${name}: u32`,
      ),
      code: () => /* wgsl */ `
        fn readPixel(picture: i32, y: i32, z: i32, quad: u32) -> vec4<f32> {
          let inside = u32(y) < uniforms.height && u32(z) < uniforms.width;
          let place = ((picture * i32(uniforms.height) + y) * i32(uniforms.width) + z) * i32(uniforms.quads) + i32(quad);
          return select(vec4<f32>(), x[select(0, place, inside)], inside);
        }
        ${blockBegin}
          let line = block / uniforms.across;
          let picture = i32(line / uniforms.down);
          let y = 2 * i32(line % uniforms.down) - i32(uniforms.top);
          let z = 2 * i32(block % uniforms.across) - i32(uniforms.left);
          ${eachPlace(4, (i, j) => `let d${i}_${j} = readPixel(picture, y + ${i}, z + ${j}, quad);`)}
          ${changeBasis(PATCH, 4, 'd', 'r')}
          ${eachPlace(4, (i, j, place) => `result[${place}u * uniforms.size + index] = r${i}_${j};`)}
        }`,
    },
    {
      inputs: [x],
      outputs: [result],
      uniforms: [size, channels / 4, height, width, down, across, top, left],
      workgroups: workgroupsFor(size, 128),
    },
  )
  return result
}

/** Blocks of 2 x 2 gradients: `[B, Ho, Wo, Co]` to `[16, blocks, Co]`. */
export function changeGradients(backend: KernelBackend, dy: TensorInfo): TensorInfo {
  const [batch, height, width, channels] = dy.shape
  const { down, across } = blocksOf({ height, width })
  const blocks = batch * down * across
  const result = makeGpuTensor(backend, [16, blocks, channels], 'float32')
  const size = (blocks * channels) / 4
  runGpuProgram(
    backend,
    {
      name: 'facekit_winograd_gradients',
      inputs: ['x: vec4<f32>'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['size', 'quads', 'height', 'width', 'down', 'across'].map((name) => `${name}: u32`),
      code: () => /* wgsl */ `
        fn readPixel(picture: u32, y: u32, z: u32, quad: u32) -> vec4<f32> {
          let inside = y < uniforms.height && z < uniforms.width;
          let place = ((picture * uniforms.height + y) * uniforms.width + z) * uniforms.quads + quad;
          return select(vec4<f32>(), x[select(0u, place, inside)], inside);
        }
        ${blockBegin}
          let line = block / uniforms.across;
          let picture = line / uniforms.down;
          let y = 2u * (line % uniforms.down);
          let z = 2u * (block % uniforms.across);
          ${eachPlace(2, (i, j) => `let d${i}_${j} = readPixel(picture, y + ${i}u, z + ${j}u, quad);`)}
          ${changeBasis(GRADIENT, 2, 'd', 'r')}
          ${eachPlace(4, (i, j, place) => `result[${place}u * uniforms.size + index] = r${i}_${j};`)}
        }`,
    },
    {
      inputs: [dy],
      outputs: [result],
      uniforms: [size, channels / 4, height, width, down, across],
      workgroups: workgroupsFor(size, 128),
    },
  )
  return result
}

/** `[3, 3, Ci, Co]` to `[16, Ci, Co]`. */
export function changeFilter(backend: KernelBackend, filter: TensorInfo, flip: boolean): TensorInfo {
  const [, , rows, columns] = filter.shape
  const result = makeGpuTensor(backend, [16, rows, columns], 'float32')
  const size = (rows * columns) / 4
  const tap = (place: number) => (flip ? 8 - place : place)
  runGpuProgram(
    backend,
    {
      name: `facekit_winograd_filter_${flip}`,
      inputs: ['x: vec4<f32>'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['size: u32'],
      code: () => /* wgsl */ `
        @compute @workgroup_size(128)
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let index = (group.y * groups.x + group.x) * 128u + local;
          if (index >= uniforms.size) { return; }
          ${eachPlace(3, (i, j, place) => `let g${i}_${j} = x[${tap(place)}u * uniforms.size + index];`)}
          ${changeBasis(FILTER, 3, 'g', 'r')}
          ${eachPlace(4, (i, j, place) => `result[${place}u * uniforms.size + index] = r${i}_${j};`)}
        }`,
    },
    { inputs: [filter], outputs: [result], uniforms: [size], workgroups: workgroupsFor(size, 128) },
  )
  return result
}

/** `[16, blocks, C]` to `[B, H, W, C]`. Disposes of its input. */
export function backToPictures(
  backend: KernelBackend,
  x: TensorInfo,
  batch: number,
  out: Size,
  finish: GpuFinishCode,
): TensorInfo {
  const channels = x.shape[2]
  const { down, across } = blocksOf(out)
  const result = makeGpuTensor(backend, [batch, out.height, out.width, channels], 'float32')
  const size = (batch * down * across * channels) / 4
  runGpuProgram(
    backend,
    {
      name: `facekit_winograd_pictures_${finish.key}`,
      inputs: ['x: vec4<f32>', ...finish.inputs],
      outputs: ['result: vec4<f32>'],
      uniforms: [
        ...['size', 'quads', 'height', 'width', 'down', 'across', 'columns'].map((name) => `${name}: u32`),
        'alpha: f32',
      ],
      code: () => /* wgsl */ `
        ${finish.code}
        ${blockBegin}
          let line = block / uniforms.across;
          let picture = line / uniforms.down;
          let y = 2u * (line % uniforms.down);
          let z = 2u * (block % uniforms.across);
          ${eachPlace(4, (i, j, place) => `let m${i}_${j} = x[${place}u * uniforms.size + index];`)}
          ${changeBasis(RESULT, 4, 'm', 'r')}
          ${eachPlace(
            2,
            (i, j) => `if (y + ${i}u < uniforms.height && z + ${j}u < uniforms.width) {
            let place = (picture * uniforms.height + y + ${i}u) * uniforms.width + z + ${j}u;
            result[place * uniforms.quads + quad] = finish(r${i}_${j}, quad * 4u);
          }`,
          )}
        }`,
    },
    {
      inputs: [x, ...finish.tensors],
      outputs: [result],
      uniforms: [size, channels / 4, out.height, out.width, down, across, channels, finish.alpha],
      workgroups: workgroupsFor(size, 128),
    },
  )
  backend.disposeData(x.dataId)
  return result
}

/** `[16, Ci, Co]` to `[3, 3, Ci, Co]`. Disposes of its input. */
export function backToFilter(backend: KernelBackend, sums: TensorInfo): TensorInfo {
  const [, rows, columns] = sums.shape
  const result = makeGpuTensor(backend, [3, 3, rows, columns], 'float32')
  const size = (rows * columns) / 4
  runGpuProgram(
    backend,
    {
      name: 'facekit_winograd_to_filter',
      inputs: ['x: vec4<f32>'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['size: u32'],
      code: () => /* wgsl */ `
        @compute @workgroup_size(128)
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let index = (group.y * groups.x + group.x) * 128u + local;
          if (index >= uniforms.size) { return; }
          ${eachPlace(4, (i, j, place) => `let m${i}_${j} = x[${place}u * uniforms.size + index];`)}
          ${changeBasis(FILTER_GRADIENT, 4, 'm', 'r')}
          ${eachPlace(3, (i, j, place) => `result[${place}u * uniforms.size + index] = r${i}_${j};`)}
        }`,
    },
    { inputs: [sums], outputs: [result], uniforms: [size], workgroups: workgroupsFor(size, 128) },
  )
  backend.disposeData(sums.dataId)
  return result
}
