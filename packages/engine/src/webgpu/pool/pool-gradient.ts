import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelArguments, type KernelInputs } from '../../tfjs/typed-kernel.js'
import { isNaNCode } from '../nan.js'
import { GROUP_PARAMETERS, isHalf, loadWidth, storage, vectorType } from '../columns.js'
import {
  forEachInWindow,
  POOL_UNIFORMS,
  poolInfo,
  poolPosition,
  poolUniforms,
  type PoolAttributes,
} from './pool-geometry.js'

/* Contributor notes
 *
 * The gradient of a maximum goes to the first of the largest numbers of each window. A first pass finds it and writes its place in the window,
 * four channels to a word; a second one asks, for each number of the input, the few windows that it lies in. The stock kernels do
 * the same with one channel a thread, a word for each place, and a division and two branches for each place that a window could have.
 */

type Inputs = KernelInputs<'dy' | 'input'>

/** Replaces the gradients of max and average pooling of the WebGPU backend. */
export function registerGpuPoolGradients(): void {
  replace('MaxPoolGrad', true)
  replace('AvgPoolGrad', false)
}

function replace(name: string, max: boolean): void {
  replaceTypedKernel<Inputs, PoolAttributes>(name, 'webgpu', () => (args) => poolGradient(args, max))
}

function poolGradient(
  { inputs, attrs, backend }: KernelArguments<Inputs, PoolAttributes>,
  max: boolean,
): TensorInfo {
  const { dy, input } = inputs
  const info = poolInfo(input, attrs)
  // Four places fit into a word when each is less than 255.
  const load = max && info.filterHeight * info.filterWidth > 255 ? 1 : loadWidth(info.inChannels)
  const half = load === 4 && isHalf(backend, input)
  const uniforms = poolUniforms(info, info.inChannels / load)
  const windows = util.sizeFromShape(dy.shape) / load
  const places = max ? makeGpuTensor(backend, [Math.max(1, windows)], 'int32') : undefined
  if (places && windows > 0) {
    runGpuProgram(backend, findPlaces(load, half), {
      inputs: [input],
      outputs: [places],
      uniforms: [windows, ...uniforms],
      workgroups: workgroupsFor(windows, 256),
    })
  }
  const result = makeGpuTensor(backend, input.shape, half ? 'float16' : 'float32')
  const size = util.sizeFromShape(input.shape) / load
  runGpuProgram(backend, places ? maxGradient(load, half) : averageGradient(load, half), {
    inputs: places ? [dy, places] : [dy],
    outputs: [result],
    uniforms: [size, ...uniforms],
    workgroups: workgroupsFor(size, 256),
  })
  if (places) backend.disposeData(places.dataId)
  return result
}

/** No place: of an empty window. */
const NOWHERE = { 1: -1, 4: 255 }

function findPlaces(load: 1 | 4, half: boolean): GpuProgram {
  const pixel = storage(load, half)
  const type = vectorType(load)
  const integer = vectorType(load, 'i32')
  return {
    name: `facekit_max_pool_places_${load}${half ? '_half' : ''}`,
    inputs: [`x: ${pixel.type}`],
    outputs: ['places: i32'],
    uniforms: POOL_UNIFORMS,
    code: () => /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${poolPosition('outHeight', 'outWidth')}
        var best = ${type}(0);
        var place = ${integer}(${NOWHERE[load]});
        ${forEachInWindow(
          `
          // Of numbers and a NaN the NaN is largest, the first of them.
          let larger = ((value > best) | ${isNaNCode('value', type)}) & !${isNaNCode('best', type)};
          let better = larger | (place == ${integer}(${NOWHERE[load]}));
          best = select(best, value, better);
          place = select(place, ${integer}(i * uniforms.filterWidth + j), better);`,
          pixel.read,
        )}
        places[index] = ${load === 4 ? 'place.x | (place.y << 8u) | (place.z << 16u) | (place.w << 24u)' : 'place'};
      }`,
  }
}

/** Adds up, over the windows that a number lies in, what `term` gives for window `at` where the number is at `place`. */
const gather = (type: string, term: string) => /* wgsl */ `
  var total = ${type}(0);
  // Windows from the first that reaches this far to the last that begins before.
  let y = row + uniforms.top;
  let z = column + uniforms.left;
  let firstRow = max(0, (y - uniforms.filterHeight + uniforms.strideHeight) / uniforms.strideHeight);
  let lastRow = min(uniforms.outHeight - 1, y / uniforms.strideHeight);
  let firstColumn = max(0, (z - uniforms.filterWidth + uniforms.strideWidth) / uniforms.strideWidth);
  let lastColumn = min(uniforms.outWidth - 1, z / uniforms.strideWidth);
  for (var i = firstRow; i <= lastRow; i++) {
    for (var j = firstColumn; j <= lastColumn; j++) {
      let at = ((batch * uniforms.outHeight + i) * uniforms.outWidth + j) * uniforms.columns + channel;
      ${term}
    }
  }`

function maxGradient(load: 1 | 4, half: boolean): GpuProgram {
  const pixel = storage(load, half)
  const type = vectorType(load)
  const places =
    load === 4
      ? '((vec4<u32>(bitcast<u32>(places[at])) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u))'
      : 'u32(places[at])'
  return {
    name: `facekit_max_pool_gradient_${load}${half ? '_half' : ''}`,
    inputs: [`dy: ${pixel.type}`, 'places: i32'],
    outputs: [`result: ${pixel.type}`],
    uniforms: POOL_UNIFORMS,
    code: () => /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${poolPosition('inHeight', 'inWidth')}
        ${gather(
          type,
          `let place = u32((y - i * uniforms.strideHeight) * uniforms.filterWidth + z - j * uniforms.strideWidth);
          total += select(${type}(0), ${pixel.read('dy[at]')}, ${places} == ${vectorType(load, 'u32')}(place));`,
        )}
        result[index] = ${pixel.write('total')};
      }`,
  }
}

function averageGradient(load: 1 | 4, half: boolean): GpuProgram {
  const pixel = storage(load, half)
  const type = vectorType(load)
  return {
    name: `facekit_average_pool_gradient_${load}${half ? '_half' : ''}`,
    inputs: [`dy: ${pixel.type}`],
    outputs: [`result: ${pixel.type}`],
    uniforms: POOL_UNIFORMS,
    code: () => /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${poolPosition('inHeight', 'inWidth')}
        ${gather(type, `total += ${pixel.read('dy[at]')};`)}
        result[index] = ${pixel.write('total / f32(uniforms.filterHeight * uniforms.filterWidth)')};
      }`,
  }
}
