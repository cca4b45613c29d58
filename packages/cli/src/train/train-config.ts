import { ValueError } from '@facekit/core'
import type { BackboneName } from '@facekit/regressor'
import type { SynthesizerOptions } from '@facekit/synthetic'
import type { SupervisedName } from '@facekit/trainer'
import type { PaperLossName } from '@facekit/losses'
import { readFile } from 'node:fs/promises'
import { fileSystemReason } from '../error-line.js'

/** A learning rate that changes, as JSON. */
export type RateConfig =
  | number
  | { schedule: 'cosine'; from: number; to?: number; warmup?: number }
  | { schedule: 'step'; from: number; at: number[]; factor?: number; warmup?: number }

/** What `facekit train` can be told; each key is a key of the JSON file, and some are flags. */
export interface TrainConfig {
  model: string
  backbone: BackboneName
  inputSize: number
  /** A regressor to start from. */
  weights?: string
  /** `model.json` of an ImageNet ResNet. */
  backboneWeights?: string
  /** Folder or shards of `facekit annotate`. */
  dataset?: string
  /** Share of the people of the data set that is held out, 0..1. */
  heldOut: number
  augment: boolean
  /** Rendered faces, or how to render them. */
  synthetic: boolean | SynthesizerOptions
  batch: number
  syntheticBatch?: number
  iterations: number
  learningRate: RateConfig
  optimizer: 'adam' | 'adamw' | 'sgd'
  weightDecay?: number
  clipNorm?: number
  accumulate: number
  /** Weights of the losses on photographs, other than the paper's. */
  losses: Partial<Record<PaperLossName, number>>
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
}

/** The paper's recipe, and what the paper does not say. */
export const defaultTrainConfig: TrainConfig = {
  model: 'base',
  backbone: 'resnet50',
  inputSize: 224,
  heldOut: 0.1,
  augment: true,
  synthetic: false,
  batch: 32,
  iterations: 200_000,
  learningRate: 5e-5,
  optimizer: 'adam',
  accumulate: 1,
  losses: {},
  supervision: {},
  datasetWeight: 1,
  syntheticWeight: 1,
  checkpointEvery: 1000,
  keepCheckpoints: 3,
  logEvery: 10,
  evaluateEvery: 1000,
  seed: 0,
  backend: 'auto',
}

const OPTIONAL = [
  'weights',
  'backboneWeights',
  'dataset',
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
  syntheticBatch: ['number'],
  weightDecay: ['number'],
  clipNorm: ['number'],
  seconds: ['number'],
  synthetic: ['boolean', 'object'],
  learningRate: ['number', 'object'],
}

/** Reads a JSON file of settings.
 *
 * @throws {ValueError} that names the file and what is wrong
 */
export async function readTrainConfig(path: string): Promise<Partial<TrainConfig>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ValueError(`${path}: the settings cannot be read: ${fileSystemReason(error)}`, { cause: error })
  }
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (error) {
    throw new ValueError(`${path}: is no JSON (${(error as Error).message})`, { cause: error })
  }
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
      throw new ValueError(`${path}: "${name}" is ${JSON.stringify(value)}, expected a ${kinds.join(' or ')}`)
  }
}
