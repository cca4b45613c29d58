import { createRandom, ValueError } from '@facekit/core'
import type { DatasetName, DatasetOptions, EvaluationDataset } from './evaluation-dataset.js'
import { open300w } from './open-300w.js'
import { openAflw2000 } from './open-aflw2000.js'
import { openCeleba } from './open-celeba.js'
import { openFacescape } from './open-facescape.js'
import { openFolder } from './open-folder.js'
import { openMicc } from './open-micc.js'
import { openNow } from './open-now.js'
import { openRealy } from './open-realy.js'

const READERS: Record<DatasetName, (root: string, options: DatasetOptions) => Promise<EvaluationDataset>> = {
  micc: openMicc,
  facescape: openFacescape,
  aflw2000: openAflw2000,
  celeba: openCeleba,
  now: openNow,
  realy: openRealy,
  '300w': open300w,
  folder: openFolder,
}

/** Names of the data sets whose layout is known. */
export const datasetNames = Object.freeze(Object.keys(READERS)) as readonly DatasetName[]

/** Opens a data set in the layout in which it is published. Truths are read when a case is scored. Node only.
 *
 * What is missing does not end it: the dataset's `problems` say it, a line each.
 *
 * @throws {ValueError} when the folder is not there, or its layout is another one
 * @example
 * const dataset = await openEvaluationDataset('micc', 'Florence')
 * const truth = await dataset.cases[0].read()
 */
export async function openEvaluationDataset(
  name: DatasetName,
  root: string,
  options: DatasetOptions = {},
): Promise<EvaluationDataset> {
  const open = READERS[name]
  if (!open)
    throw new ValueError(`openEvaluationDataset: "${name}" is unknown, expected ${datasetNames.join(', ')}`)
  const { stat } = await import('node:fs/promises')
  const found = await stat(root).catch(() => undefined)
  if (!found?.isDirectory()) throw new ValueError(`${root}: is no folder; expected the data set ${name}`)
  const dataset = await open(root, options)
  const { count, seed = 0 } = options
  if (count === undefined || name === 'celeba' || count >= dataset.cases.length) return dataset
  const chosen = new Set(
    createRandom(seed)
      .shuffle([...dataset.cases])
      .slice(0, count),
  )
  return { ...dataset, cases: dataset.cases.filter((each) => chosen.has(each)) }
}
