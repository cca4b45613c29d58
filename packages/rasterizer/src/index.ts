export { rasterize, type Fragments, type RasterizeOptions } from './rasterize.js'
export { interpolate } from './interpolate.js'
export type { Cull } from './scan-triangles.js'
export type { Triangles } from './triangle-indices.js'
