import { BackendError } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import type { Tensor } from '@tensorflow/tfjs-core'
import {
  interpolateAttributesGradientOnGpu,
  interpolateBarycentricsGradientOnGpu,
  interpolateOnGpu,
} from './interpolate.js'

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

const onGpuOnly = () => {
  throw new BackendError('interpolate: this kernel is for the webgpu backend')
}

const attributesGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolateTracedAttributesGradient',
  inputs: ['barycentrics', 'ids', 'upstream', 'boxes', 'tasks'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: interpolateAttributesGradientOnGpu,
}

const barycentricsGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolateTracedBarycentricsGradient',
  inputs: ['attributes', 'ids', 'upstream'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: interpolateBarycentricsGradientOnGpu,
}

/** `interpolate` on WebGPU when it is known where triangles are seen. */
export const tracedInterpolateKernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolateTraced',
  inputs: ['attributes', 'barycentrics', 'ids'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: interpolateOnGpu,
  gradient: {
    inputsToSave: ['attributes', 'barycentrics', 'ids', 'boxes', 'tasks'],
    gradFunc: (dy, [attributes, barycentrics, ids, boxes, tasks], attrs) => {
      const upstream = dy as Tensor
      const attributeMap = attrs as unknown as Attributes
      return {
        attributes: () =>
          runHostKernel(
            attributesGradientKernel,
            { barycentrics, ids, upstream, boxes, tasks },
            attributeMap,
          )[0],
        barycentrics: () =>
          runHostKernel(barycentricsGradientKernel, { attributes, ids, upstream }, attributeMap)[0],
      }
    },
  },
}
