import { defineKernel, float32, int32 } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import { antialiasImageGradientOnGpu, antialiasOnGpu } from './webgpu/antialias.js'
import { antialiasVertexGradientOnGpu } from './webgpu/antialias-gradient.js'
import { crossingsOnGpu } from './webgpu/crossings.js'

interface Attributes {
  topology: Topology
}

/** Finds the silhouettes between neighbouring pixels, WebGPU only; see `crossingsOnGpu`. */
export const findCrossings = defineKernel({
  name: 'FacekitFindCrossings',
  inputs: { clip: 'float32', ids: 'int32', depth: 'float32' },
  outputs: ({ ids: [batch, height, width] }) => ({
    places: float32([batch, height, width, 2]),
    codes: int32([batch, height, width, 2]),
  }),
  constants: ['places'],
  webgpu: (backend, inputs, outputs, { topology }: Attributes) =>
    crossingsOnGpu(backend, inputs, outputs, topology),
})

const imageGradientKernel = defineKernel({
  name: 'FacekitBlendCrossingsImageGradient',
  inputs: { upstream: 'float32', places: 'float32' },
  outputs: ({ upstream }) => ({ gradient: float32(upstream) }),
  webgpu: (backend, inputs, outputs) => antialiasImageGradientOnGpu(backend, inputs, outputs),
})

const vertexGradientKernel = defineKernel({
  name: 'FacekitBlendCrossingsVertexGradient',
  inputs: { clip: 'float32', image: 'float32', places: 'float32', codes: 'int32', upstream: 'float32' },
  outputs: ({ clip }) => ({ gradient: float32(clip) }),
  webgpu: (backend, inputs, { gradient }, { topology }: Attributes) =>
    antialiasVertexGradientOnGpu(backend, inputs, gradient, topology),
})

/** Moves colour over silhouettes, WebGPU only. */
export const blendCrossings = defineKernel({
  name: 'FacekitBlendCrossings',
  inputs: { clip: 'float32', image: 'float32', places: 'float32', codes: 'int32' },
  outputs: ({ image: [batch, height, width, channels] }) => ({
    picture: float32([batch, height, width, channels]),
  }),
  saves: ['clip', 'image', 'places', 'codes'],
  constants: ['places'],
  webgpu: (backend, inputs, outputs, _attributes: Attributes) => antialiasOnGpu(backend, inputs, outputs),
  gradient: ({ upstream: { picture: upstream }, saved, attributes }) => ({
    clip: () => vertexGradientKernel({ ...saved, upstream }, attributes),
    image: () => imageGradientKernel({ upstream, places: saved.places }),
  }),
})
