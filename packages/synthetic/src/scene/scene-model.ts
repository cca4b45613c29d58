import type { MorphableModel } from '@facekit/morphable'
import { type Topology, createTopology } from '@facekit/mesh'
import ndarray from 'ndarray'
import { ambientLight } from './ambient-light.js'
import type { Host, Layer, Material, MeshPart } from './mesh-part.js'

/** Where a part's vertices lie in the scene; those that it shares with others not counted. */
export interface VertexRange {
  first: number
  count: number
}

/** Triangles that are rasterized together, and what is known of each. */
export interface SceneLayer extends VertexRange {
  /** `[F * 3]`, counted from the layer's first vertex. */
  triangles: Int32Array
  /** `[F]` */
  labels: Int32Array
  materials: Material[]
  parts: string[]
  topology: Topology
}

/** A face model with a scene around it: more vertices, which follow the face; triangles by layers, each of vertices in a row. */
export interface SceneModel {
  /** For `evaluateShape` only: albedo is that of the face model. */
  shape: MorphableModel
  vertexCount: number
  faceVertexCount: number
  /** `[N * 3]` mm, mean. */
  positions: Float32Array
  materials: Material[]
  /** `[N]` each */
  openness: Float32Array
  body: Float32Array
  uv: Float32Array
  ranges: Record<string, VertexRange>
  /** Vertices of the face's outer rim, from which the head goes on. */
  rim: Int32Array
  layers: Record<Layer, SceneLayer>
  /** `[F * 3]` of all layers. */
  triangles: Int32Array
}

/** Puts a scene together. */
export class SceneBuilder {
  readonly positions: number[]
  readonly materials: Material[]
  private readonly openness: number[]
  private readonly body: number[]
  private readonly uv: number[]
  private readonly identity: number[][]
  private readonly expression: number[][]
  private readonly ranges: Record<string, VertexRange> = {}
  private readonly triangles: Record<Layer, number[]> = { head: [], mouth: [], hair: [], front: [] }
  private readonly labels: Record<Layer, number[]> = { head: [], mouth: [], hair: [], front: [] }
  private readonly triangleMaterials: Record<Layer, Material[]> = { head: [], mouth: [], hair: [], front: [] }
  private readonly triangleParts: Record<Layer, string[]> = { head: [], mouth: [], hair: [], front: [] }

  /** Begins with the face.
   *
   * @param faceLabels - `[F]` of the model's triangles
   */
  constructor(
    private readonly model: MorphableModel,
    faceLabels: Int32Array,
    mouthLabel: number,
  ) {
    const { vertexCount, shape, layout } = model
    this.positions = Array.from(shape.mean.data)
    this.materials = Array.from({ length: vertexCount }, () => 'face')
    this.openness = Array.from({ length: vertexCount }, () => 1)
    this.body = Array.from({ length: vertexCount }, () => 0)
    this.uv = Array.from({ length: vertexCount * 2 }, () => 0)
    const rows = (data: ArrayLike<number>, count: number) =>
      Array.from({ length: count }, (_, k) =>
        Array.from({ length: vertexCount * 3 }, (__, i) => data[k * vertexCount * 3 + i]),
      )
    this.identity = rows(shape.identity.data, layout.identity)
    this.expression = rows(shape.expression.data, layout.expression)
    this.addTriangles('head', Array.from(model.triangles), Array.from(faceLabels), 'face', 'face')
    const mouth = Array.from(model.innerMouthTriangles)
    this.addTriangles(
      'head',
      mouth,
      mouth.filter((_, i) => i % 3 === 0).map(() => mouthLabel),
      'face',
      'innerMouth',
    )
  }

  private addTriangles(
    layer: Layer,
    triangles: readonly number[],
    labels: readonly number[],
    material: Material,
    part: string,
  ): void {
    for (const vertex of triangles) this.triangles[layer].push(vertex)
    for (const label of labels) {
      this.labels[layer].push(label)
      this.triangleMaterials[layer].push(material)
      this.triangleParts[layer].push(part)
    }
  }

  /** Adds a part; its hosts are vertices that are there already. */
  add(part: MeshPart): this {
    const { positions, shared, hosts, uv, openness, body, layer, material } = part
    const count = positions.length / 3
    const first = this.materials.length
    const numbers: number[] = []
    for (let v = 0; v < count; v++) {
      if (shared && shared[v] >= 0) {
        numbers.push(shared[v])
        continue
      }
      numbers.push(this.materials.length)
      this.positions.push(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2])
      this.materials.push(material)
      this.openness.push(openness?.[v] ?? 1)
      this.body.push(body?.[v] ?? 0)
      this.uv.push(uv?.[v * 2] ?? 0, uv?.[v * 2 + 1] ?? 0)
      const host = hosts?.[v]
      for (const mode of this.identity) follow(mode, host, host?.identity ?? 0)
      for (const mode of this.expression) follow(mode, host, host?.expression ?? 0)
    }
    const triangles = Array.from(part.triangles, (vertex) => numbers[vertex])
    const labels = Array.from({ length: triangles.length / 3 }, (_, t) =>
      typeof part.label === 'number' ? part.label : part.label[t],
    )
    this.addTriangles(layer, triangles, labels, material, part.name)
    this.ranges[part.name] = { first, count: this.materials.length - first }
    return this
  }

  /** What was said of the parts, and what the head takes of its own light. */
  private litOpenness(): Float32Array {
    const triangles = this.triangles.head.filter(
      (_, i) => this.triangleParts.head[Math.floor(i / 3)] !== 'innerMouth',
    )
    const ambient = ambientLight(this.positions, triangles)
    return Float32Array.from(this.openness, (value, v) => Math.min(value, ambient[v]))
  }

  build(rim: Int32Array): SceneModel {
    const { model } = this
    const vertexCount = this.materials.length
    const positions = Float32Array.from(this.positions)
    const modes = (rows: readonly number[][]) => {
      const data = new Float32Array(rows.length * vertexCount * 3)
      rows.forEach((row, k) => data.set(row, k * vertexCount * 3))
      return ndarray(data, [rows.length, vertexCount, 3])
    }
    const layer = (name: Layer): SceneLayer => {
      const used = this.triangles[name]
      let [first, last] = [Infinity, -1]
      for (const vertex of used) {
        first = Math.min(first, vertex)
        last = Math.max(last, vertex)
      }
      const triangles = Int32Array.from(used, (vertex) => vertex - first)
      const labels = Int32Array.from(this.labels[name])
      const count = last + 1 - first
      return {
        first,
        count,
        triangles,
        labels,
        materials: this.triangleMaterials[name],
        parts: this.triangleParts[name],
        topology: createTopology(triangles, count, { labels }),
      }
    }
    const layers = { head: layer('head'), mouth: layer('mouth'), hair: layer('hair'), front: layer('front') }
    const triangles = Int32Array.from(Object.values(this.triangles).flat())
    return {
      shape: {
        ...model,
        name: `${model.name}, in a scene`,
        vertexCount,
        triangles,
        shape: {
          ...model.shape,
          mean: ndarray(positions, [vertexCount, 3]),
          identity: modes(this.identity),
          expression: modes(this.expression),
        },
      },
      vertexCount,
      faceVertexCount: model.vertexCount,
      positions,
      materials: this.materials,
      openness: this.litOpenness(),
      body: Float32Array.from(this.body),
      uv: Float32Array.from(this.uv),
      ranges: this.ranges,
      rim,
      layers,
      triangles,
    }
  }
}

/** Adds a vertex to a mode: what its hosts do, on average, times how much of it. */
function follow(mode: number[], host: Host | undefined, share: number): void {
  for (let c = 0; c < 3; c++) {
    let sum = 0
    if (host && share !== 0) {
      host.vertices.forEach((vertex, i) => (sum += host.weights[i] * mode[vertex * 3 + c]))
    }
    mode.push(share * sum)
  }
}
