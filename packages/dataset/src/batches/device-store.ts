import * as tf from '@tensorflow/tfjs-core'
import type { BatchSample } from './batch-sample.js'

/** A sample whose pixels are on the backend's device: `[S, S, 3]` each, 0..1. */
export interface DeviceSample extends Omit<BatchSample, 'image' | 'masks'> {
  tensors: { image: tf.Tensor3D; masks: tf.Tensor3D }
}

/** Samples that stay on the device, so that they need not be uploaded again. */
export interface DeviceStore {
  get(index: number): DeviceSample | undefined
  /** Keeps a sample when there is room. */
  put(index: number, sample: BatchSample): DeviceSample | undefined
  /** Frees the memory of all. */
  dispose(): void
}

/** A store of so many bytes in the memory of the current backend. */
export function createDeviceStore(limit: number): DeviceStore {
  const kept = new Map<number, DeviceSample>()
  let left = limit
  return {
    get: (index) => kept.get(index),
    put(index, { image, masks, ...sample }) {
      const known = kept.get(index)
      const bytes = 4 * (image.length + masks.length)
      if (known || bytes > left) return known
      left -= bytes
      const upload = (pixels: Uint8Array) => tf.keep(pictureTensor(pixels, sample.size))
      const stored = { ...sample, tensors: { image: upload(image), masks: upload(masks) } }
      kept.set(index, stored)
      return stored
    },
    dispose() {
      for (const { tensors } of kept.values()) tf.dispose([tensors.image, tensors.masks])
      kept.clear()
      left = limit
    },
  }
}

/** Bytes as `[S, S, 3]` of 0..1. */
export const pictureTensor = (pixels: Uint8Array, size: number): tf.Tensor3D =>
  tf.tensor3d(
    Float32Array.from(pixels, (byte) => byte / 255),
    [size, size, 3],
  )
