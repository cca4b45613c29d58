import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelInputs } from '../../tfjs/typed-kernel.js'
import { isNaNCode } from '../nan.js'
import { GROUP_PARAMETERS, isHalf, likeMemory, loadWidth, storage, vectorType } from '../columns.js'
import {
  forEachInWindow,
  POOL_UNIFORMS,
  poolInfo,
  poolPosition,
  poolUniforms,
  type PoolAttributes,
} from './pool-geometry.js'

/** Replaces MaxPool and AvgPool of the WebGPU backend, whose threads take one channel each. */
export function registerGpuPools(): void {
  for (const name of ['MaxPool', 'AvgPool'] as const) {
    replaceTypedKernel<KernelInputs<'x'>, PoolAttributes>(name, 'webgpu', (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const info = poolInfo(inputs.x, attrs)
      // A view of the same data, and windows that are the whole picture: the stock kernel knows.
      const whole = info.filterHeight >= info.inHeight && info.filterWidth >= info.inWidth
      if ((info.filterHeight === 1 && info.filterWidth === 1) || whole || inputs.x.dtype !== 'float32')
        return stock(args)
      const load = loadWidth(info.inChannels)
      const result = makeGpuTensor(backend, info.outShape, likeMemory(backend, inputs.x))
      const size = util.sizeFromShape(info.outShape) / load
      runGpuProgram(backend, pool(name, load, isHalf(backend, inputs.x)), {
        inputs: [inputs.x],
        outputs: [result],
        uniforms: [size, ...poolUniforms(info, info.inChannels / load)],
        workgroups: workgroupsFor(size, 256),
      })
      return result
    })
  }
}

function pool(name: 'MaxPool' | 'AvgPool', load: 1 | 4, half: boolean): GpuProgram {
  const type = vectorType(load)
  const pixel = storage(load, half)
  const step = {
    MaxPool: `if (count == 0.0) { total = value; } else {
      total = select(select(total, value, (value > total) | ${isNaNCode('value', type)}), total, ${isNaNCode('total', type)});
    }`,
    AvgPool: 'total += value;',
  }[name]
  return {
    name: `facekit_${name === 'MaxPool' ? 'max' : 'average'}_pool_${load}${half ? '_half' : ''}`,
    inputs: [`x: ${pixel.type}`],
    outputs: [`result: ${pixel.type}`],
    uniforms: POOL_UNIFORMS,
    code: () => /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${poolPosition('outHeight', 'outWidth')}
        var total = ${type}(0);
        // Of the numbers inside the picture.
        var count = 0.0;
        ${forEachInWindow(`${step} count += 1.0;`, pixel.read)}
        result[index] = ${pixel.write(`total${name === 'AvgPool' ? ' / max(count, 1.0)' : ''}`)};
      }`,
  }
}
