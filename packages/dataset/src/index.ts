export { DatasetError } from './dataset-error.js'
export type { FaceSample, SampleAnnotation, SampleParameters, SampleSource } from './samples/face-sample.js'
export { annotationOfSample, sampleFromAnnotation } from './samples/sample-annotation.js'
export { encodeSample, type EncodeSampleOptions, type SampleFiles } from './samples/encode-sample.js'
export { decodeSample, type DecodeSampleOptions } from './samples/decode-sample.js'
export type { DecodeImage } from './samples/image-codec.js'
export { writeShards, type WriteShardsOptions, type WrittenShards } from './samples/write-shards.js'
export { readShards, type ReadShardsOptions } from './samples/read-shards.js'
export { createDataset, openDataset, type FaceDataset } from './samples/open-dataset.js'
export type { SampleEntry } from './samples/find-samples.js'
export type { SampleLocation } from './samples/sample-location.js'
export type { SelectOptions } from './samples/select-samples.js'
export {
  labelFolder,
  type LabelFolderOptions,
  type LabelProgress,
  type LabelReport,
} from './label/label-folder.js'
export type { Annotator } from './label/label-picture.js'
export { listPictures } from './label/label-plan.js'
export { runLabelWorker } from './label/run-label-worker.js'
export { labelQuality } from './label/label-quality.js'
export { verifyShard, type SkippedPicture } from './samples/shard-index.js'
export {
  datasetBatches,
  type DatasetBatches,
  type DatasetBatchesOptions,
  type DatasetBatchesState,
} from './batches/dataset-batches.js'
export type { AugmentOptions } from './batches/augmentation.js'
export type { FaceBatch } from './batches/assemble-batch.js'
export { writeContactSheet, type ContactSheetOptions } from './label/contact-sheet.js'
export { removeLabels } from './label/remove-labels.js'
