import { ModelFormatError, ValueError } from '@facekit/core'
import { parseObj, type Surface } from '@facekit/mesh'
import type { EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, foldersIn, isThere, PICTURE, stemOf } from './folder-entries.js'
import { readDataFile, readDataText } from './read-data-file.js'
import { readSurface } from './read-surface.js'
import { type RealyRegion, realyRegions } from '../protocols/realy-protocol.js'

/** REALY: `REALY_HIFI3D_keypoints/<person>.obj` (85 vertices), `REALY_scan_region/<person>/{nose,mouth,forehead,cheek}.obj`, `metrical_scale.txt`
 * (a line for each person), all in the root or in `data`; pictures `<person>.png` or `<person>_<view>.png` anywhere below. */
export async function openRealy(root: string): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const base = (await isThere(join(root, 'REALY_scan_region'))) ? '' : 'data'
  const at = (...parts: string[]) => join(root, base, ...parts)
  const people = await foldersIn(at('REALY_scan_region'))
  if (people.length === 0) throw new ValueError(`${root}: has no REALY_scan_region/<person>; expected REALY`)
  const problems: string[] = []
  const text = (await readDataText(at('metrical_scale.txt'))) ?? ''
  const scales = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number)
  if (scales.length === 0)
    throw new ValueError(
      `${root}: has no metrical_scale.txt, without which errors are not in mm; take it from REALY's scripts`,
    )
  const pictures = await picturesBelow(root)
  const cases: EvaluationCase[] = []
  for (const person of people.filter((name) => /^\d+$/.test(name))) {
    const millimetres = scales[Number(person) - 1]
    if (!(millimetres > 0)) {
      problems.push(`${person}: metrical_scale.txt has no line ${person}`)
      continue
    }
    const own = pictures.filter((path) => new RegExp(`(^|[/\\\\])${person}(_-?\\d+)?\\.\\w+$`).test(path))
    if (own.length === 0)
      problems.push(`${person}: has no picture; only predictions in a folder can be scored`)
    for (const picture of own.length > 0 ? own : [`${person}.png`]) {
      cases.push({
        id: stemOf(picture),
        group: 'all',
        pictures: [picture],
        read: async () => {
          const regions: Partial<Record<RealyRegion, Surface>> = {}
          for (const region of realyRegions)
            regions[region] = await readSurface(at('REALY_scan_region', person, `${region}.obj`))
          return {
            realy: {
              regions,
              keypoints: await keypointsOf(at('REALY_HIFI3D_keypoints', `${person}.obj`)),
              millimetres,
            },
          }
        },
      })
    }
  }
  return { name: 'realy', root, protocol: 'realy', groups: ['all'], cases, problems }
}

async function keypointsOf(path: string): Promise<Float64Array> {
  const text = new TextDecoder().decode(await readDataFile(path))
  const { positions } = parseObj(text, path, true)
  if (positions.length !== 255)
    throw new ModelFormatError(`${path}: has ${positions.length / 3} vertices, expected REALY's 85 keypoints`)
  return positions
}

async function picturesBelow(root: string, folder = ''): Promise<string[]> {
  const { join } = await import('node:path')
  const here = (await filesIn(join(root, folder), PICTURE)).map((name) => join(folder, name))
  const inside = await Promise.all(
    (await foldersIn(join(root, folder))).map((name) => picturesBelow(root, join(folder, name))),
  )
  return [...here, ...inside.flat()]
}
