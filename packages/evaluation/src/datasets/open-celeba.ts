import { createRandom, ValueError } from '@facekit/core'
import type { DatasetOptions, EvaluationDataset } from './evaluation-dataset.js'
import { isThere, stemOf } from './folder-entries.js'
import { readDataText } from './read-data-file.js'

/** Folders that the pictures may be in, aligned or in the wild, and those of the list. */
const PICTURES = ['Img/img_celeba', 'img_celeba', 'Img/img_align_celeba', 'img_align_celeba', '']
const LISTS = ['Eval/list_eval_partition.txt', 'list_eval_partition.txt']

/** CelebA: pictures and `list_eval_partition.txt`; the cases are 2,000 of its test part (2), chosen at random: the paper's own are not published. */
export async function openCeleba(
  root: string,
  { count = 2000, seed = 0 }: DatasetOptions,
): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  let list: string | undefined
  for (const name of LISTS) list ??= await readDataText(join(root, name))
  if (list === undefined) throw new ValueError(`${root}: has no ${LISTS[0]}; expected CelebA`)
  const test = list
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, part]) => part === '2')
    .map(([name]) => name)
  if (test.length === 0) throw new ValueError(`${root}: its list names no pictures of the test part (2)`)
  let folder: string | undefined
  for (const place of PICTURES)
    if (folder === undefined && (await isThere(join(root, place, test[0])))) folder = place
  if (folder === undefined)
    throw new ValueError(
      `${root}: ${test[0]} is in none of ${PICTURES.filter(Boolean).join(', ')}; unpack the pictures`,
    )
  const chosen = createRandom(seed).shuffle(test).slice(0, count).sort()
  const problems: string[] = []
  const cases = []
  for (const name of chosen) {
    const path = join(folder, name)
    if (!(await isThere(join(root, path)))) problems.push(`${name}: is missing`)
    else cases.push({ id: stemOf(name), group: 'test', pictures: [path], read: async () => ({}) })
  }
  return { name: 'celeba', root, protocol: 'color', groups: ['test'], cases, problems }
}
