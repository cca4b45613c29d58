import { BackendError } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import { engine, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { aliasOf } from '../detach.js'
import { rasterizeOnGpu } from './rasterize.js'
import { rasterizeGradientOnGpu } from './rasterize-gradient.js'
import type { Fragments } from '../rasterize.js'
import type { Cull } from '../cpu/scan-triangles.js'

/* Contributor notes
 *
 * While a gradient is recorded the rasterizer also notes where each triangle is seen (gpu-footprints.ts). These two tensors are found
 * by the fragments' indices, and belong to the scope of the recording, which disposes of them; the tape keeps what the backward pass needs.
 *
 * The rasterizer itself is off the tape: only the barycentrics have a gradient, and they get it by an operation of their own that
 * changes nothing. Otherwise tfjs would make zeros for the gradients of the other results.
 */

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
}

const onGpuOnly = () => {
  throw new BackendError('rasterize: this kernel is for the webgpu backend')
}

const kernel: HostKernel<Attributes & { traced: boolean }> = {
  name: 'FacekitRasterizeOnGpu',
  inputs: ['clip'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: rasterizeOnGpu,
}

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitRasterizeGradientOnGpu',
  inputs: ['clip', 'ids', 'upstream', 'boxes', 'tasks'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: rasterizeGradientOnGpu,
}

const barycentricsKernel: HostKernel<Attributes> = {
  name: 'FacekitBarycentrics',
  inputs: ['barycentrics'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: (backend, [barycentrics]) => {
    backend.incRef(barycentrics.dataId)
    return [{ ...barycentrics }]
  },
  gradient: {
    inputsToSave: ['clip', 'ids', 'boxes', 'tasks'],
    gradFunc: (dy, [clip, ids, boxes, tasks], attributes) => ({
      clip: () =>
        runHostKernel(
          gradientKernel,
          { clip, ids, upstream: dy as Tensor, boxes, tasks },
          attributes as unknown as Attributes,
        )[0],
    }),
  },
}

const known = new WeakMap<Tensor, { boxes: Tensor; tasks: Tensor }>()

/** Where triangles are seen, when the fragments with these indices were made while a gradient was recorded. */
export function footprintsOf(ids: Tensor): { boxes: Tensor; tasks: Tensor } | undefined {
  const footprints = known.get(ids)
  return footprints?.boxes.isDisposed === false ? footprints : undefined
}

/** `rasterize` on WebGPU, of arguments that were checked. */
export function rasterizeWithGpu(clip: Tensor3D, attributes: Attributes): Fragments {
  const traced = engine().state.gradientDepth > 0
  const offTape = aliasOf(clip)
  const results = runHostKernel(kernel, { clip: offTape }, { ...attributes, traced })
  offTape.dispose()
  const [ids, barycentrics, depth, boxes, tasks] = results
  const fragments = {
    triangleIds: ids as Tensor3D,
    barycentrics: barycentrics as Tensor4D,
    depth: depth as Tensor4D,
  }
  if (!traced) return fragments
  known.set(ids, { boxes, tasks })
  const inputs = { clip, barycentrics, ids, boxes, tasks }
  fragments.barycentrics = runHostKernel(barycentricsKernel, inputs, attributes)[0] as Tensor4D
  barycentrics.dispose()
  return fragments
}
