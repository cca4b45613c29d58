import {
  describeHdf5,
  detectModelFormat,
  modelStatistics,
  type Hdf5Node,
  type ModelStatistics,
  type MorphableModel,
} from '@facekit/morphable'
import { checkThere, loadModel, SHIPPED_MODELS } from '../load-model.js'
import type { Progress } from '../progress.js'

/** What `facekit model info` prints. */
export type ModelInfo =
  | { format: 'hdf5'; kind?: string; nodes: Hdf5Node[] }
  | ({ format: string; unit: 'mm' } & Pick<MorphableModel, 'name' | 'license' | 'origin' | 'layout'> & {
        expressionNames?: readonly string[]
        expressionRange?: readonly [number, number]
        hasUv: boolean
        statistics: ModelStatistics
      })

/** Looks into a model, or lists the tree of an HDF5 file. */
export async function describeModel(
  model: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ModelInfo> {
  if (!SHIPPED_MODELS.has(model)) await checkThere(model)
  if (!SHIPPED_MODELS.has(model) && (await isHdf5File(model))) {
    const nodes = await describeHdf5(model)
    const groups = nodes.filter(({ kind }) => kind === 'group').map(({ path }) => path)
    const kind = groups.includes('/shape/model')
      ? 'a Statismo face model: facekit model import reads it'
      : groups.includes('/diffuseAlbedo/model')
        ? 'an albedo model: facekit model import takes it as --albedo'
        : undefined
    return { format: 'hdf5', ...(kind && { kind }), nodes }
  }
  const format = SHIPPED_MODELS.has(model) ? 'facekit' : await detectModelFormat(model)
  progress.start(`${model}: reading`)
  const read = await loadModel(model, {
    signal,
    onProgress: (done, total) => progress.update(done, total),
  })
  const { name, license, origin, layout, shape, uv } = read
  return {
    format,
    unit: 'mm',
    name,
    license,
    origin,
    layout,
    ...(shape.expressionNames && { expressionNames: shape.expressionNames }),
    ...(shape.expressionRange && { expressionRange: shape.expressionRange }),
    hasUv: uv !== undefined,
    statistics: modelStatistics(read),
  }
}

async function isHdf5File(path: string): Promise<boolean> {
  const { open, stat } = await import('node:fs/promises')
  if (!(await stat(path)).isFile()) return false
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return buffer.equals(Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]))
  } finally {
    await file.close()
  }
}

/** A `ModelInfo` for people. */
export function infoLines(info: ModelInfo): string[] {
  if ('nodes' in info) return [...info.nodes.flatMap(nodeLines), ...(info.kind ? ['', info.kind] : [])]
  const { statistics: s, layout } = info
  const [width, height, depth] = s.bounds.high.map((value, c) => (value - s.bounds.low[c]).toFixed(0))
  const part = (name: string, unit: string, { modes, sizes, cumulative }: ModelStatistics['identity']) => {
    const at = [1, 5, 10, 20, 40, 80].filter((k) => k <= modes)
    const shares = at.map((k) => `${k}: ${(100 * cumulative[k - 1]).toFixed(0)} %`).join(', ')
    const size =
      modes > 0
        ? `; size of the first ${sizes[0].toPrecision(2)} ${unit}; variance of the first ${shares}`
        : ''
    return `${name.padEnd(12)} ${modes} modes${size}`
  }
  const names = info.expressionNames
  return [
    `name         ${info.name}`,
    `format       ${info.format}`,
    `licence      ${info.license}`,
    `origin       ${info.origin}`,
    `unit         mm (${width} x ${height} x ${depth}; ${s.eyeDistance.toFixed(0)} between the outer corners of the eyes)`,
    `mesh         ${s.vertexCount} vertices, ${s.triangleCount} triangles, ${s.innerMouthTriangleCount} in the mouth${s.polygonCount > 0 ? `, ${s.polygonCount} polygons` : ''}`,
    `texture      ${info.hasUv ? 'coordinates for each vertex' : 'none: colours are at the vertices only'}`,
    part('identity', 'mm', s.identity),
    part('expression', 'mm', s.expression) +
      (info.expressionRange ? `; from ${info.expressionRange[0]} to ${info.expressionRange[1]}` : ''),
    ...(names ? [`             ${names.join(' ')}`] : []),
    part('albedo', 'linear', s.diffuse),
    ...(s.regions.length > 0 ? [`regions      ${s.regions.join(' ')}`] : []),
    `coefficients ${layout.identity} + ${layout.expression} + ${layout.albedo}`,
  ]
}

function nodeLines({ path, kind, shape, type, value, attributes }: Hdf5Node): string[] {
  const depth = path.split('/').length - 2
  const name = path.slice(path.lastIndexOf('/') + 1)
  const indent = '  '.repeat(depth)
  const text = value === undefined ? '' : ` = ${String(value).replace(/\s+/g, ' ').trim().slice(0, 60)}`
  const what =
    kind === 'dataset' ? `  ${type} [${shape!.join(', ')}]${text}` : kind === 'group' ? '/' : '  (link)'
  const notes = Object.entries(attributes ?? {}).map(
    ([key, note]) => `${indent}  @${key} = ${String(note).replace(/\s+/g, ' ').slice(0, 60)}`,
  )
  return [`${indent}${JSON.stringify(name).slice(1, -1)}${what}`, ...notes]
}
