import { showValue, ValueError } from '@facekit/core'
import type { AugmentOptions } from '@facekit/dataset'
import type { Precision } from '@facekit/engine'
import type { BackboneName } from '@facekit/regressor'
import type { SynthesizerOptions } from '@facekit/synthetic'
import type { PaperLossName, PaperLossOptions } from '@facekit/losses'
import type { PlausibilityName, SupervisedName } from '@facekit/trainer'
import { readSettings } from '../read-settings.js'

/** A learning rate that changes, as JSON. */
export type RateConfig =
  | number
  | { schedule: 'cosine'; from: number; to?: number; warmup?: number }
  | { schedule: 'step'; from: number; at: number[]; factor?: number; warmup?: number }

/** What `facekit train` can be told; each key is a key of the JSON file, and some are flags. */
export interface TrainConfig {
  model: string
  /** A name, or the path of a module (.js, .ts), see `loadBackboneModule`. */
  backbone: BackboneName | string
  inputSize: number
  /** A regressor to start from. */
  weights?: string
  /** `model.json` of an ImageNet ResNet. */
  backboneWeights?: string
  /** Folder or shards of `facekit annotate`, or the path of a module (.js, .ts), see `loadDatasetModule`. */
  dataset?: string
  /** Width and height of the photographs, when the losses see more than the network; default `inputSize`. */
  photographSize?: number
  /** Only photographs whose labels seem at least this good, 0..1. */
  minQuality: number
  /** Share of the people of the data set that is held out, 0..1. */
  heldOut: number
  /** Random changes, and how large. */
  augment: boolean | AugmentOptions
  /** Photographs that stay in the backend's memory, bytes. */
  deviceBytes: number
  /** Rendered faces, or how to render them. */
  synthetic: boolean | SynthesizerOptions
  batch: number
  syntheticBatch?: number
  /** How often each batch of rendered faces is used, on average. */
  replay: number
  iterations: number
  learningRate: RateConfig
  optimizer: 'adam' | 'adamw' | 'sgd'
  weightDecay?: number
  clipNorm?: number
  accumulate: number
  /** Weights of the losses on photographs, other than the paper's. */
  losses: Partial<Record<PaperLossName, number>>
  /** Paths of modules with losses of one's own, see `loadLossModules`. */
  lossModules: string[]
  /** Details of these losses. */
  lossOptions: LossOptions
  /** Weights of losses that keep parameters plausible. */
  plausibility: Partial<Record<PlausibilityName, number>>
  /** Weights of the losses on rendered faces. */
  supervision: Partial<Record<SupervisedName, number>>
  datasetWeight: number
  syntheticWeight: number
  checkpointEvery: number
  keepCheckpoints: number
  logEvery: number
  evaluateEvery: number
  seconds?: number
  seed: number
  backend: string
  /** What the network computes in; `'mixed'` where the GPU can. */
  precision: Precision
  /** Whether several processes on one machine may have the same GPU. */
  shareGpu: boolean
  /** Of the numbers in the trained network's file. */
  weightsPrecision: 'float32' | 'float16'
}

/** Options of `paperLossTerms` that are JSON. */
export type LossOptions = Pick<PaperLossOptions, 'eta' | 'regularizationWeights' | 'identityBackground'> & {
  landmarkWeights?: number[]
}

/** The paper's recipe, and what the paper does not say. */
export const defaultTrainConfig: TrainConfig = {
  model: 'base',
  backbone: 'resnet50',
  inputSize: 224,
  minQuality: 0,
  heldOut: 0.1,
  augment: true,
  deviceBytes: 0,
  synthetic: false,
  batch: 32,
  replay: 1,
  iterations: 200_000,
  learningRate: 5e-5,
  optimizer: 'adam',
  accumulate: 1,
  losses: {},
  lossModules: [],
  lossOptions: {},
  plausibility: {},
  supervision: {},
  datasetWeight: 1,
  syntheticWeight: 1,
  checkpointEvery: 1000,
  keepCheckpoints: 3,
  logEvery: 10,
  evaluateEvery: 1000,
  seed: 0,
  backend: 'auto',
  precision: 'float32',
  shareGpu: false,
  weightsPrecision: 'float32',
}

const OPTIONAL = [
  'weights',
  'backboneWeights',
  'dataset',
  'photographSize',
  'syntheticBatch',
  'weightDecay',
  'clipNorm',
  'seconds',
] as const

/** What a value must be where the default does not say it. */
const KINDS: Partial<Record<keyof TrainConfig, readonly string[]>> = {
  weights: ['string'],
  backboneWeights: ['string'],
  dataset: ['string'],
  photographSize: ['number'],
  syntheticBatch: ['number'],
  augment: ['boolean', 'object'],
  weightDecay: ['number'],
  clipNorm: ['number'],
  seconds: ['number'],
  synthetic: ['boolean', 'object'],
  learningRate: ['number', 'object'],
}

/** @param why - ends the message
 * @throws {ValueError} when there are no pictures to train on */
export function checkTrainData({ dataset, synthetic }: TrainConfig, why = ''): void {
  if (dataset === undefined && synthetic === false)
    throw new ValueError(`train: no pictures; give --dataset, --synthetic or both${why}`)
}

/** What a training that is resumed must have as it had it before; all else may change. */
const FIXED = [
  'model',
  'backbone',
  'inputSize',
  'weights',
  'backboneWeights',
  'heldOut',
  'synthetic',
  'batch',
  'syntheticBatch',
  'replay',
  'accumulate',
  'optimizer',
  'seed',
] as const satisfies readonly (keyof TrainConfig)[]

/** Compares the settings of a training with those that it is resumed with.
 *
 * @param path - where the former are stored
 * @throws {ValueError} that names the first setting which must not change
 */
export function checkResumedConfig(before: TrainConfig, now: TrainConfig, path: string): void {
  for (const name of FIXED) {
    const [old, wanted] = [before[name], now[name]].map((value) => JSON.stringify(value) ?? 'not set')
    if (old === wanted) continue
    throw new ValueError(
      `--resume: ${name} is ${wanted}, the training was begun with ${old} (${path}); leave it, or begin anew in another folder`,
    )
  }
}

/** Reads a JSON file of settings.
 *
 * @throws {ValueError} that names the file and what is wrong
 */
export async function readTrainConfig(path: string): Promise<Partial<TrainConfig>> {
  const config = await readSettings(path)
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new ValueError(`${path}: expected a JSON object`)
  checkTrainConfig(config as Record<string, unknown>, path)
  return config as Partial<TrainConfig>
}

/** @throws {ValueError} for a name that is unknown, or a value of another kind */
function checkTrainConfig(config: Record<string, unknown>, path: string): void {
  const known = [...Object.keys(defaultTrainConfig), ...OPTIONAL]
  for (const [name, value] of Object.entries(config)) {
    if (!known.includes(name))
      throw new ValueError(`${path}: "${name}" is unknown, expected some of ${known.join(', ')}`)
    const key = name as keyof TrainConfig
    const kinds = KINDS[key] ?? [typeof defaultTrainConfig[key]]
    if (value === null || !kinds.includes(typeof value))
      throw new ValueError(`${path}: "${name}" is ${showValue(value)}, expected a ${kinds.join(' or ')}`)
    if (key === 'lossModules' && !(Array.isArray(value) && value.every((item) => typeof item === 'string')))
      throw new ValueError(`${path}: "${name}" is ${showValue(value)}, expected a list of paths`)
  }
}
