export { sphericalHarmonicsBasis, type Bands, type SphericalHarmonicsOptions } from './spherical-harmonics.js'
export { shadeDiffuse, type ShadeDiffuseOptions } from './shade-diffuse.js'
export { shadeSpecular, type SpecularInput } from './shade-specular.js'
export { shadeSurface, type ShadeSurfaceInput } from './shade-surface.js'
