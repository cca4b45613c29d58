export { packColumns, packTransposed } from './matrix'
export { convolve, convolveScratch, filterGradient, filterGradientScratch } from './convolution'
