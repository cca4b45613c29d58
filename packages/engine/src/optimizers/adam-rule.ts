import { type GpuProgram, runGpuProgram } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { UpdateRule } from '../webgpu/optimizer-update.js'
import { adamOnWasm } from '../wasm/adam.js'
import type { AdamConstants } from './adam-constants.js'

/** Settings: 0 the learning rate, 1 that over what corrects the first moment, 2 what corrects the second. */
export const adamRule: UpdateRule = {
  name: 'adam',
  state: ['m', 'v'],
  constants: ['beta1', 'beta2', 'oneMinusBeta1', 'oneMinusBeta2', 'epsilon', 'weightDecay'],
  code: /* wgsl */ `
    m = uniforms.beta1 * m + uniforms.oneMinusBeta1 * gradient;
    v = uniforms.beta2 * v + uniforms.oneMinusBeta2 * gradient * gradient;
    value -= settings[0] * uniforms.weightDecay * value;
    value -= settings[1] * m / (sqrt(v * settings[2]) + uniforms.epsilon);`,
}

/** Powers of beta that belong to the step go into the settings, then on to the next step. */
export function advanceAdam(
  backend: KernelBackend,
  settings: TensorInfo,
  powers: readonly [TensorInfo, TensorInfo],
  beta1: number,
  beta2: number,
  gate?: TensorInfo,
): void {
  runGpuProgram(backend, gate ? gatedAdvance : advance, {
    inputs: gate ? [gate] : [],
    outputs: [settings, ...powers],
    uniforms: [beta1, beta2],
    workgroups: [1],
  })
}

const advanceProgram = (gated: boolean): GpuProgram => ({
  name: `facekit_adam_step${gated ? '_gated' : ''}`,
  inputs: gated ? ['gate: f32'] : [],
  outputs: ['settings: f32', 'power1: f32', 'power2: f32'],
  uniforms: ['beta1: f32', 'beta2: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(1)
    fn main() {
      ${gated ? 'if (gate[3] == 0.0) { return; }' : ''}
      settings[1] = settings[0] / (1.0 - power1[0]);
      settings[2] = 1.0 / (1.0 - power2[0]);
      power1[0] *= uniforms.beta1;
      power2[0] *= uniforms.beta2;
    }`,
})

const [advance, gatedAdvance] = [advanceProgram(false), advanceProgram(true)]

/** One step of Adam from `old` arrays into arrays that may be the same. */
export function adamArrays(
  gradient: Float32Array,
  from: readonly [Float32Array, Float32Array, Float32Array],
  to: readonly [Float32Array, Float32Array, Float32Array],
  constants: AdamConstants,
): void {
  if (from[0] === to[0] && adamOnWasm(gradient, to, constants)) return
  const { beta1, beta2, epsilon, learningRate, weightDecay, power1, power2 } = constants
  const rate = learningRate / (1 - power1)
  const correction = 1 / (1 - power2)
  const keep = 1 - learningRate * weightDecay
  const [value, m, v] = from
  const [newValue, newM, newV] = to
  const [oneMinusBeta1, oneMinusBeta2] = [1 - beta1, 1 - beta2]
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]
    const first = beta1 * m[i] + oneMinusBeta1 * g
    const second = beta2 * v[i] + oneMinusBeta2 * g * g
    newM[i] = first
    newV[i] = second
    newValue[i] = value[i] * keep - (rate * first) / (Math.sqrt(second * correction) + epsilon)
  }
}
