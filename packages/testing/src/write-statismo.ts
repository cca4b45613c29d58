import type { Dataset, Group } from 'h5wasm'

/** What to write into a Statismo file. */
export interface StatismoInput {
  /** `[N * 3]` reference positions; the mean of the shape if that has none of its own. */
  points: Float32Array
  triangles: Int32Array
  /** By group: `/shape`, `/expression`, `/color`, ... `basis` is `[K, 3N]`, of any length; it is made orthonormal columns and variances. */
  parts: Record<string, { mean: Float32Array; basis: Float32Array; modes: number }>
  /** 9 (default): columns of length 1. 8: columns with their deviations. */
  minorVersion?: 8 | 9
  /** The representer of old files. */
  legacy?: boolean
  lengthUnit?: number
  namedPoints?: { id: string; coordinates: number[] }[]
  /** Deflate the bases. */
  compress?: boolean
}

let counter = 0

/** Bytes of a Statismo HDF5 file in the layout of the Basel Face Model. */
export async function writeStatismo(input: StatismoInput): Promise<Uint8Array> {
  // Loaded when needed: most tests write no HDF5.
  const { File, ready } = await import('h5wasm')
  const { FS } = await ready
  const name = `written-${counter++}.h5`
  const file = new File(name, 'w')
  const group = (path: string) => {
    let at: Group = file
    for (const part of path.split('/').filter(Boolean)) at = (at.get(part) as Group) ?? at.create_group(part)
    return at
  }
  const put = (path: string, data: Float32Array | Int32Array, shape: number[], large = false) => {
    const at = path.lastIndexOf('/')
    const chunks =
      input.compress && large ? { chunks: [Math.min(shape[0], 512), shape[1]], compression: 4 } : {}
    return group(path.slice(0, at)).create_dataset({
      name: path.slice(at + 1),
      data,
      shape,
      ...chunks,
    }) as Dataset
  }
  const minor = input.minorVersion ?? 9
  for (const [path, { mean, basis, modes }] of Object.entries(input.parts)) {
    const size = mean.length
    const columns = new Float32Array(size * modes)
    const variance = new Float32Array(modes)
    for (let k = 0; k < modes; k++) {
      let squares = 0
      for (let i = 0; i < size; i++) squares += basis[k * size + i] ** 2
      variance[k] = squares
      const factor = minor === 9 ? 1 / (Math.sqrt(squares) || 1) : 1
      for (let i = 0; i < size; i++) columns[i * modes + k] = basis[k * size + i] * factor
    }
    put(`${path}/model/mean`, mean, [size])
    put(`${path}/model/pcaBasis`, columns, [size, modes], true)
    put(`${path}/model/pcaVariance`, variance, [modes])
    put(`${path}/model/noiseVariance`, Float32Array.of(0.1), [])
    put(`${path}/version/majorVersion`, Int32Array.of(0), [])
    put(`${path}/version/minorVersion`, Int32Array.of(minor), [])
    writeMesh(path)
  }
  function writeMesh(path: string): void {
    const representer = `${path}/representer`
    const { points, triangles } = input
    const count = points.length / 3
    if (input.legacy) {
      put(`${representer}/reference-mesh/vertex-coordinates`, points, [count, 3])
      put(`${representer}/reference-mesh/triangle-list`, triangles, [triangles.length / 3, 3])
    } else {
      const transpose = <T extends Float32Array | Int32Array>(data: T, n: number) =>
        data.map((_, i) => data[(i % n) * 3 + Math.floor(i / n)]) as T
      put(`${representer}/points`, transpose(points, count), [3, count])
      put(`${representer}/cells`, transpose(triangles, triangles.length / 3), [3, triangles.length / 3])
    }
    group(representer).create_attribute(
      'name',
      input.legacy ? 'gravis::Mesh Shape Representer' : 'gravis::MeshShapeRepresenter',
    )
    group(representer).create_attribute('datasetType', 'POLYGON_MESH')
    if (input.lengthUnit) put(`${representer}/length-unit`, Float32Array.of(input.lengthUnit), [])
  }
  if (input.namedPoints) {
    group('/metadata/landmarks').create_dataset({ name: 'json', data: JSON.stringify(input.namedPoints) })
  }
  file.flush()
  file.close()
  const bytes = FS!.readFile(name) as Uint8Array
  FS!.unlink(name)
  return bytes
}
