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
  OccluderOptions,
} from './synthesizer-options.js'
export { disposeBatch, type SyntheticBatch } from './synthetic-batch.js'
