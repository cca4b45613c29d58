import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  errorCurves,
  evaluationHtml,
  evaluationMarkdown,
  type EvaluationResults,
  openEvaluationDataset,
  readPoints,
} from '@facekit/evaluation'
import { readCase } from '../../packages/cli/src/evaluate/evaluation-folder.js'
import type { FuzzTarget, FuzzTargets } from './fuzz-target.js'

const bytesOf = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

/** Seven points, as a data set of scans has them. */
const rows = Array.from({ length: 7 }, (_, i) => [i * 10.5, 30 - i, 5 + 2 * i])
const flat = Array.from({ length: 68 }, (_, i) => [100 + i, 200 - i])

const points: Record<string, Uint8Array> = {
  txt: bytesOf(rows.map((row) => row.join(' ')).join('\n')),
  json: bytesOf(rows),
  pts: bytesOf(
    `version: 1\nn_points: 68\n{\n${flat
      .slice(0, 9)
      .map((row) => row.join(' '))
      .join('\n')}\n}\n`,
  ),
  pp: bytesOf(
    `<!DOCTYPE PickedPoints>\n<PickedPoints>\n${rows.map(([x, y, z]) => `<point x="${x}" y="${y}" z="${z}" active="1" name="0"/>`).join('\n')}\n</PickedPoints>\n`,
  ),
  npy: numpy(rows),
}

/** What data sets of scans bring along, and what an evaluation keeps. */
export async function evaluationTargets(): Promise<FuzzTargets> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-fuzz-'))
  process.on('exit', () => void rm(folder, { recursive: true, force: true }).catch(() => {}))
  const at = (...names: string[]) => join(folder, ...names)
  for (const name of ['list', 'scape/7/1_neutral', 'out/cases']) await mkdir(at(name), { recursive: true })
  await writeFile(at('scape/7/1_neutral.ply'), '')
  for (const view of [0, 1]) await writeFile(at(`scape/7/1_neutral/${view}.jpg`), '')
  const scales = { 7: { 1: [1.5, [[1, 0, 0, 0]]] } }
  await writeFile(at('scape/Rt_scale_dict.json'), JSON.stringify(scales))
  const openScape = async () => {
    const { cases } = await openEvaluationDataset('facescape', at('scape'))
    if (cases.some(({ pictures }) => pictures.length > 2)) throw new Error('more pictures than there are')
  }
  const pointTargets = Object.entries(points).map(([ending, bytes]): [string, FuzzTarget] => [
    `landmarks-${ending}`,
    {
      files: [bytes],
      read: async (mutated) => {
        await writeFile(at(`points.${ending}`), mutated)
        const { width, values } = await readPoints(at(`points.${ending}`))
        if (values.length % width !== 0 || !values.every(Number.isFinite))
          throw new Error('points that are not whole')
      },
    },
  ])
  return {
    ...Object.fromEntries(pointTargets),
    'landmarks-list': {
      files: [bytesOf({ 'a/1.jpg': flat, 'b.jpg': flat })],
      read: async (bytes) => {
        await writeFile(at('list/landmarks.json'), bytes)
        const { cases } = await openEvaluationDataset('folder', at('list'))
        for (const one of cases)
          if ((await one.read()).pictureLandmarks?.length !== 136) throw new Error('not 68 points')
      },
    },
    'facescape-views': {
      files: [bytesOf({ '0_K': [[1, 0, 0]], '0_valid': true, '1_valid': false })],
      read: async (bytes) => {
        await writeFile(at('scape/7/1_neutral/params.json'), bytes)
        await openScape()
      },
    },
    'facescape-scales': {
      files: [bytesOf(scales)],
      read: async (bytes) => {
        await writeFile(at('scape/Rt_scale_dict.json'), bytes)
        await openScape()
      },
    },
    'evaluation-case': {
      files: [
        bytesOf([
          {
            id: 'anna',
            group: 'all',
            method: 'fit',
            problems: ['odd'],
            scores: { pointToPlane: 1.5, landmarks: 2 },
            quantiles: [0, 1, 2],
            points: 30,
            seconds: 2,
          },
          { id: 'anna', group: 'all', method: 'mean face', problems: ['no face'] },
        ]),
      ],
      read: async (bytes) => {
        await writeFile(at('out/cases/anna.json'), bytes)
        const results = await readCase(at('out'), 'anna')
        const evaluation: EvaluationResults = {
          dataset: 'folder',
          groups: ['all'],
          methods: ['fit', 'mean face'],
          cases: 1,
          results,
          problems: [],
        }
        const page = evaluationHtml(evaluation, []) + evaluationMarkdown(evaluation)
        if (/NaN|undefined|\[object/.test(page)) throw new Error('a report of what is no score')
        errorCurves(evaluation)
      },
    },
  }
}

/** An array of float64, as NumPy writes it. */
function numpy(values: readonly number[][]): Uint8Array {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length}, ${values[0].length}), }`
  const padded = `${header.padEnd(128 - 10 - 1, ' ')}\n`
  const magic = [0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]
  const data = new Uint8Array(Float64Array.from(values.flat()).buffer)
  return Uint8Array.of(...magic, ...new TextEncoder().encode(padded), ...data)
}
