import { showValue, ValueError } from '@facekit/core'
import { type DatasetName, datasetNames } from '@facekit/evaluation'
import { type PaperLossName, paperLossWeights } from '@facekit/losses'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readSettings } from '../read-settings.js'
import {
  checkTrainData,
  defaultTrainConfig,
  readTrainConfig,
  type TrainConfig,
} from '../train/train-config.js'

/** What `facekit ablate` is told: one file for a whole table. */
export interface AblateConfig {
  /** As for `facekit train`; `dataset` is needed, the losses are on photographs. */
  train: TrainConfig
  /** Losses that are left out, one after the other. Default: all six. */
  ablate: readonly PaperLossName[]
  /** Data sets that every network is scored on: CelebA for Table 1, FaceScape for Table 2, or others. */
  evaluate: readonly { path: string; dataset: DatasetName; count?: number; pictures?: number }[]
}

const LOSSES = Object.keys(paperLossWeights) as PaperLossName[]

/** Reads the settings of an ablation.
 *
 * @throws {ValueError} that names the file and what is wrong
 */
export async function readAblateConfig(path: string): Promise<AblateConfig> {
  const value = await readSettings(path)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ValueError(`${path}: expected a JSON object`)
  const { train, ablate = LOSSES, evaluate = [], ...others } = value as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw new ValueError(`${path}: "${unknown}" is unknown, expected train, ablate, evaluate`)
  if (!Array.isArray(ablate) || ablate.length === 0)
    throw new ValueError(`${path}: "ablate" is ${showValue(ablate)}, expected some of ${LOSSES.join(', ')}`)
  const wrong = ablate.find((name) => !LOSSES.includes(name as PaperLossName))
  if (wrong !== undefined)
    throw new ValueError(`${path}: "ablate" has ${showValue(wrong)}, expected some of ${LOSSES.join(', ')}`)
  if (!Array.isArray(evaluate)) throw new ValueError(`${path}: "evaluate" is no array`)
  const config: TrainConfig = { ...defaultTrainConfig, ...(await trainPart(train, path)) }
  checkTrainData(config)
  if (config.dataset === undefined)
    throw new ValueError(
      `${path}: "train" has no dataset; the losses that are left out are those on photographs`,
    )
  return {
    train: config,
    ablate: ablate as PaperLossName[],
    evaluate: evaluate.map((each) => evaluation(each, path)),
  }
}

/** The settings of the training, by the checks of `facekit train`. */
async function trainPart(train: unknown, path: string): Promise<Partial<TrainConfig>> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-ablate-'))
  try {
    const file = join(folder, 'train.json')
    await writeFile(file, JSON.stringify(train ?? null))
    return await readTrainConfig(file).catch((error: Error) => {
      throw new ValueError(error.message.replace(file, `${path}, "train"`), { cause: error })
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function evaluation(value: unknown, path: string): AblateConfig['evaluate'][number] {
  const { path: root, dataset = 'folder', count, pictures } = (value ?? {}) as Record<string, unknown>
  if (typeof root !== 'string' || !datasetNames.includes(dataset as DatasetName))
    throw new ValueError(
      `${path}: "evaluate" has ${showValue(value)}, expected { path, dataset: ${datasetNames.join(' | ')} }`,
    )
  return {
    path: resolve(root),
    dataset: dataset as DatasetName,
    ...(typeof count === 'number' && { count }),
    ...(typeof pictures === 'number' && { pictures }),
  }
}
