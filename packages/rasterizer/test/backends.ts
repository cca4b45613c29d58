import * as tf from '@tensorflow/tfjs-core'
import { hasWebgpu, testBackends } from '@facekit/testing'
import { describe } from 'vitest'

/** Whether WebGPU computes here, on a GPU or in software. */
export const webgpu = await hasWebgpu()

/** `describe` for cpu, wasm and webgpu; the last is skipped visibly where there is no adapter. */
export function describeBackends(name: string, suite: (backend: string) => void): void {
  for (const backend of [...testBackends, 'webgpu']) {
    describe.skipIf(backend === 'webgpu' && !webgpu)(`${name} on ${backend}`, () => {
      suite(backend)
    })
  }
}

/** The numbers of what a function makes, tidied up. */
export async function read(f: () => tf.Tensor): Promise<Float32Array | Int32Array> {
  const tensor = tf.tidy(f)
  const values = await tensor.data<'float32'>()
  tensor.dispose()
  return values
}

/** The numbers of several tensors. */
export const readAll = (tensors: readonly tf.Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map((tensor) => tensor.data<'float32'>()))
