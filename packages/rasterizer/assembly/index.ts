export { project, markSpecial, clear, classify, scan } from './rasterize'
export { barycentricsGradient } from './barycentrics-gradient'
export { interpolate, spreadToAttributes, spreadToBarycentrics } from './interpolate'
export { projectSurface } from './surface'
