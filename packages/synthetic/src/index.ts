export { createFaceSynthesizer, type FaceSynthesizer, type SynthesizerState } from './face-synthesizer.js'
export type { FramingOptions, LightOptions, PoseOptions, SynthesizerOptions } from './synthesizer-options.js'
export { disposeBatch, labelNames, labelOf, type LabelName, type SyntheticBatch } from './synthetic-batch.js'
