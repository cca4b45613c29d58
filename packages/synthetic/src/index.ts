export { createFaceSynthesizer, type FaceSynthesizer, type SynthesizerState } from './face-synthesizer.js'
export { checkSynthesizerOptions } from './check-options.js'
export type {
  BackgroundOptions,
  CameraEffects,
  FixedParameters,
  FramingOptions,
  HairOptions,
  LightOptions,
  PoseOptions,
  SynthesizerOptions,
  ThingsOptions,
} from './synthesizer-options.js'
export { disposeBatch, labelNames, labelOf, type LabelName, type SyntheticBatch } from './synthetic-batch.js'
