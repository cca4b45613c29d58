export { rasterize, type RasterizeOptions } from './rasterize.js'
export type { Fragments } from './fragments.js'
export { interpolate } from './interpolate.js'
export {
  interpolateArrays,
  interpolateArraysToAttributes,
  interpolateArraysToBarycentrics,
  type InterpolatedPixels,
} from './cpu/interpolate-arrays.js'
export { interpolateDerivatives } from './interpolate-derivatives.js'
export { antialias } from './antialias.js'
export { sampleTexture, type SampleTextureOptions } from './texture/sample-texture.js'
export type { Cull } from './cpu/scan-triangles.js'
export type { TextureWrap } from './texture/texture-levels.js'
export { createTopology, type Topology, type TopologyOptions, type Triangles } from '@facekit/mesh'
