import { BackendError } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { aliasOf } from '../detach.js'
import { antialiasImageGradientOnGpu, antialiasOnGpu } from './antialias.js'
import { antialiasVertexGradientOnGpu } from './antialias-gradient.js'
import { crossingsOnGpu } from './crossings.js'
import type { Fragments } from '../rasterize.js'

/* Contributor notes
 *
 * Crossings are found once, by an operation of their own, and are inputs of `antialias` to the tape: it keeps them for the backward pass, and
 * frees them with the rest. The vertices are handed to the search under another identity, because there is no gradient on that way.
 */

interface Attributes {
  topology: Topology
}

const onGpuOnly = () => {
  throw new BackendError('antialias: this kernel is for the webgpu backend')
}

const crossingsKernel: HostKernel<Attributes> = {
  name: 'FacekitCrossings',
  inputs: ['clip', 'ids', 'depth'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: crossingsOnGpu,
}

const imageGradientKernel: HostKernel = {
  name: 'FacekitBlendCrossingsImageGradient',
  inputs: ['upstream', 'places'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: antialiasImageGradientOnGpu,
}

const vertexGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitBlendCrossingsVertexGradient',
  inputs: ['clip', 'image', 'places', 'codes', 'upstream'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: antialiasVertexGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitBlendCrossings',
  inputs: ['image', 'places'],
  outputs: onGpuOnly,
  compute: onGpuOnly,
  webgpu: antialiasOnGpu,
  gradient: {
    inputsToSave: ['clip', 'image', 'places', 'codes'],
    gradFunc: (dy, [clip, image, places, codes], attrs) => {
      const upstream = dy as Tensor
      const attributes = attrs as unknown as Attributes
      return {
        clip: () =>
          runHostKernel(vertexGradientKernel, { clip, image, places, codes, upstream }, attributes)[0],
        image: () => runHostKernel(imageGradientKernel, { upstream, places }, {})[0],
      }
    },
  },
}

/** `antialias` on WebGPU, of arguments that were checked. */
export function antialiasWithGpu(
  image: Tensor4D,
  { triangleIds: ids, depth }: Fragments,
  clip: Tensor3D,
  topology: Topology,
): Tensor4D {
  const offTape = aliasOf(clip)
  const [places, codes] = runHostKernel(crossingsKernel, { clip: offTape, ids, depth }, { topology })
  const [output] = runHostKernel(kernel, { clip, image, places, codes }, { topology })
  for (const tensor of [offTape, places, codes]) tensor.dispose()
  return output as Tensor4D
}
