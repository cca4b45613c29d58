import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Surface } from '@facekit/mesh'

/** A folder with files in it, by their paths. */
export async function folderOf(files: Record<string, string | Uint8Array>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'facekit-evaluation-'))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  return root
}

/** A mesh as OBJ. */
export function objOf({ positions, triangles }: Surface): string {
  const lines: string[] = []
  for (let i = 0; i < positions.length; i += 3)
    lines.push(`v ${positions[i]} ${positions[i + 1]} ${positions[i + 2]}`)
  for (let t = 0; t < triangles.length; t += 3)
    lines.push(`f ${triangles[t] + 1} ${triangles[t + 1] + 1} ${triangles[t + 2] + 1}`)
  return `${lines.join('\n')}\n`
}

/** A mesh as ASCII PLY. */
export function plyOf({ positions, triangles }: Surface): string {
  const rows = (list: ArrayLike<number>, before = '') =>
    Array.from(
      { length: list.length / 3 },
      (_, i) => `${before}${list[i * 3]} ${list[i * 3 + 1]} ${list[i * 3 + 2]}`,
    )
  return [
    'ply',
    'format ascii 1.0',
    `element vertex ${positions.length / 3}`,
    'property float x',
    'property float y',
    'property float z',
    `element face ${triangles.length / 3}`,
    'property list uchar int vertex_indices',
    'end_header',
    ...rows(positions),
    ...rows(triangles, '3 '),
    '',
  ].join('\n')
}

/** Points as lines of numbers. */
export const linesOf = (points: ArrayLike<number>, width = 3) =>
  Array.from({ length: points.length / width }, (_, i) =>
    Array.from({ length: width }, (__, c) => points[i * width + c]).join(' '),
  ).join('\n')

/** Points as MeshLab picks them. */
export const pickedPointsOf = (points: ArrayLike<number>) =>
  `<!DOCTYPE PickedPoints>\n<PickedPoints>\n${Array.from(
    { length: points.length / 3 },
    (_, i) =>
      ` <point z="${points[i * 3 + 2]}" active="1" y="${points[i * 3 + 1]}" name="${i}" x="${points[i * 3]}"/>`,
  ).join('\n')}\n</PickedPoints>\n`

/** 68 points as 300-W has them. */
export const ptsOf = (points: ArrayLike<number>) =>
  `version: 1\nn_points: 68\n{\n${linesOf(
    Array.from(points, (value) => value + 0.5),
    2,
  )}\n}\n`
