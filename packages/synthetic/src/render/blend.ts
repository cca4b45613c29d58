import { defineKernel, float32 } from '@facekit/kernels'
import { add, clipByValue, mul, scalar, sub, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core'
import { broadcastShape, runTernary, ternaryProgram } from './webgpu/ternary.js'

/* Contributor notes
 *
 * A batch of pictures took 600 element-wise operations, half of the GPU's time, and a third of them were these two: a + (b - a) t, and
 * clip((x - from) slope, 0, 1). As one kernel each they read and write once. The WASM backend's own operations are
 * faster than a loop here.
 */

const blendProgram = ternaryProgram('blend', 'result[index] = x + (y - x) * z;')
// The clamp of WGSL makes a bound of a NaN, which only its bits tell.
const rampProgram = ternaryProgram(
  'ramp',
  /* wgsl */ `
    let value = (x - y) * z;
    let isNan = (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
    result[index] = select(clamp(value, 0.0, 1.0), value, isNan);`,
)

const blendKernel = defineKernel({
  name: 'FacekitBlend',
  inputs: { a: 'float32', b: 'float32', c: 'float32' },
  outputs: ({ a, b, c }) => ({ result: float32(broadcastShape(a, b, c)) }),
  webgpu: (backend, inputs, outputs) => runTernary(backend, blendProgram, inputs, outputs),
  operations: ({ a, b, c }) => add(a, mul(sub(b, a), c)),
})

const rampKernel = defineKernel({
  name: 'FacekitRamp',
  inputs: { a: 'float32', b: 'float32', c: 'float32' },
  outputs: ({ a, b, c }) => ({ result: float32(broadcastShape(a, b, c)) }),
  webgpu: (backend, inputs, outputs) => runTernary(backend, rampProgram, inputs, outputs),
  operations: ({ a, b, c }) => clipByValue(mul(sub(a, b), c), 0, 1),
})

/** `a` where t is 0, `b` where it is 1. Of each, dimensions of 1 are broadcast. */
export const blend = (a: Tensor, b: Tensor, t: Tensor): Tensor4D => blendKernel({ a, b, c: t })

const tensorOf = (value: Tensor | number) => (typeof value === 'number' ? scalar(value) : value)

/** 0 below `from`, 1 above `from + 1 / slope`, a straight line between. */
export const ramp = (x: Tensor, from: Tensor | number, slope: Tensor | number): Tensor4D =>
  rampKernel({ a: x, b: tensorOf(from), c: tensorOf(slope) })
