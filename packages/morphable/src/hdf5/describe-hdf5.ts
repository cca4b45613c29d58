import type { Hdf5Value } from './hdf5-access.js'
import type { Hdf5Options } from './hdf5-connection.js'
import { Hdf5File, typeName } from './hdf5-file.js'
import { sourceName, type ModelSource } from '../readers/model-source.js'

/** One line of the tree of an HDF5 file. */
export interface Hdf5Node {
  path: string
  kind: 'group' | 'dataset' | 'other'
  /** Of a dataset. */
  shape?: number[]
  /** E.g. `float32`, `int32`, `text`. */
  type?: string
  /** A text, or a single number; whole numbers beyond 2^53 as text. */
  value?: string | number
  attributes?: Record<string, string | number>
}

/** Most lines; models have about 150. */
const MOST = 5000
const DEEPEST = 20

/** Lists what an HDF5 file holds: groups, datasets with type and shape, small values, attributes.
 *
 * @throws {ModelFormatError} when it is no HDF5 file, truncated or damaged
 */
export async function describeHdf5(source: ModelSource, options: Hdf5Options = {}): Promise<Hdf5Node[]> {
  const who = sourceName('describeHdf5', source)
  return Hdf5File.use(source, who, options, async (file) => {
    const nodes: Hdf5Node[] = []
    const visit = async (path: string, depth: number): Promise<void> => {
      for (const member of (await file.list(path)) ?? []) {
        if (nodes.length >= MOST) return
        const inner = `${path === '/' ? '' : path}/${member.name}`
        const node: Hdf5Node = { path: inner, kind: member.kind }
        if (member.kind === 'dataset') {
          node.shape = member.shape ?? []
          node.type = typeName(member)
          const value = member.type === 3 ? await file.text(inner) : await file.scalar(inner)
          if (value !== undefined) node.value = plain(value)
        }
        const attributes = Object.entries(await file.attributes(inner))
        if (attributes.length > 0) {
          node.attributes = Object.fromEntries(attributes.map(([name, value]) => [name, plain(value)]))
        }
        nodes.push(node)
        if (member.kind === 'group' && depth < DEEPEST) await visit(inner, depth + 1)
      }
    }
    await visit('/', 0)
    return nodes
  })
}

function plain(value: Hdf5Value): string | number {
  const first: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof first === 'bigint' && Number.isSafeInteger(Number(first))) return Number(first)
  return typeof first === 'number' || typeof first === 'string' ? first : String(first)
}
