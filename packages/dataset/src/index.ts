export { DatasetError } from './dataset-error.js'
export type { FaceSample, SampleAnnotation, SampleParameters, SampleSource } from './face-sample.js'
export { annotationOfSample, sampleFromAnnotation } from './sample-annotation.js'
export { encodeSample, type EncodeSampleOptions, type SampleFiles } from './encode-sample.js'
export { decodeSample, type DecodeSampleOptions } from './decode-sample.js'
export type { DecodeImage } from './image-codec.js'
export { writeShards, type WriteShardsOptions, type WrittenShards } from './write-shards.js'
export { readShards, type ReadShardsOptions } from './read-shards.js'
export { createDataset, openDataset, type FaceDataset } from './open-dataset.js'
export type { SampleEntry } from './find-samples.js'
export type { SampleLocation } from './sample-location.js'
export type { SelectOptions } from './select-samples.js'
export { labelFolder, type LabelFolderOptions, type LabelProgress, type LabelReport } from './label-folder.js'
export type { Annotator } from './label-picture.js'
export { runLabelWorker } from './run-label-worker.js'
export { labelQuality } from './label-quality.js'
export type { SkippedPicture } from './shard-index.js'
export {
  datasetBatches,
  type DatasetBatches,
  type DatasetBatchesOptions,
  type DatasetBatchesState,
} from './dataset-batches.js'
export type { AugmentOptions } from './augmentation.js'
export type { FaceBatch } from './assemble-batch.js'
export { writeContactSheet, type ContactSheetOptions } from './contact-sheet.js'
export { removeLabels } from './remove-labels.js'
