// Writes files of full size in the layout of the Basel Face Model and of AlbedoMM, for what has to be tried at full size: the
// originals cannot be had here. The face is ICT-FaceKit's (../shared/data), its edges split until there are 53,149 vertices.
import { mkdirSync, existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createRandom } from '@facekit/core'
import { loadBaseModel } from '@facekit/base-model'
import { readIctFaceKit, type MorphableModel } from '@facekit/morphable'
import { writeStatismo, type StatismoInput } from '@facekit/testing'

export const ictFolder = new URL('../../shared/data/ict-facekit/raw', import.meta.url).pathname

/** Splits long edges at their middle until the mesh has so many vertices. `parents` has the two ends of each new one's edge. */
export function refine(positions: ArrayLike<number>, triangles: Int32Array, vertexCount: number) {
  const points = Array.from(positions)
  const parents: number[] = []
  let mesh = Array.from(triangles)
  let count = points.length / 3
  while (count < vertexCount) {
    const edges = new Map<string, { a: number; b: number; at: number[]; length: number }>()
    for (let t = 0; t < mesh.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const [a, b] = [mesh[t + k], mesh[t + ((k + 1) % 3)]].sort((x, y) => x - y)
        const edge = edges.get(`${a},${b}`)
        if (edge) edge.at.push(t)
        else {
          const length = Math.hypot(...[0, 1, 2].map((c) => points[a * 3 + c] - points[b * 3 + c]))
          edges.set(`${a},${b}`, { a, b, at: [t], length })
        }
      }
    }
    const taken = new Set<number>()
    const added: number[] = []
    for (const { a, b, at } of [...edges.values()].sort((x, y) => y.length - x.length)) {
      if (count === vertexCount) break
      if (at.some((t) => taken.has(t))) continue
      const vertex = count++
      parents.push(a, b)
      for (let c = 0; c < 3; c++) points.push((points[a * 3 + c] + points[b * 3 + c]) / 2)
      for (const t of at) {
        taken.add(t)
        const corners = mesh.slice(t, t + 3)
        for (const [i, old] of [a, b].entries()) {
          const half = corners.map((corner) => (corner === old ? vertex : corner))
          if (i === 0) mesh.splice(t, 3, ...half)
          else added.push(...half)
        }
      }
    }
    mesh = mesh.concat(added)
  }
  return { triangles: Int32Array.from(mesh), parents: Int32Array.from(parents) }
}

/** Rows of three numbers at the vertices and at the middles of the edges that were split. */
function spread(values: Float32Array, parents: Int32Array): Float32Array {
  const result = new Float32Array(values.length + (parents.length / 2) * 3)
  result.set(values)
  for (let i = 0; i < parents.length / 2; i++) {
    for (let c = 0; c < 3; c++) {
      result[values.length + i * 3 + c] =
        (result[parents[i * 2] * 3 + c] + result[parents[i * 2 + 1] * 3 + c]) / 2
    }
  }
  return result
}

export interface BaselLikeOptions {
  vertexCount?: number
  identity?: number
  expression?: number
  albedo?: number
}

/** A model as the content of a Basel file and of an albedo file; modes beyond the model's are mixtures of its own. */
export function baselLike(model: MorphableModel, options: BaselLikeOptions = {}) {
  const { vertexCount = 53149, identity = 199, expression = 100, albedo = 199 } = options
  const { triangles, parents } = refine(model.shape.mean.data, model.triangles, vertexCount)
  const random = createRandom(5)
  const part = (mean: Float32Array, basis: Float32Array, own: number, modes: number, scale = 1) => {
    const size = mean.length
    const result = new Float32Array(modes * vertexCount * 3)
    for (let k = 0; k < modes; k++) {
      const mode = new Float32Array(size)
      if (k < own) mode.set(basis.subarray(k * size, (k + 1) * size))
      else {
        for (let j = 0; j < 6; j++) {
          const from = Math.floor(random.uniform() * own) * size
          const weight = random.normal(0, 0.02)
          for (let i = 0; i < size; i++) mode[i] += weight * basis[from + i]
        }
      }
      result.set(
        spread(
          mode.map((value) => value * scale),
          parents,
        ),
        k * vertexCount * 3,
      )
    }
    return { mean: spread(mean, parents), basis: result, modes }
  }
  const { shape, albedo: colors, layout } = model
  const points = spread(shape.mean.data, parents)
  const encoded = (values: Float32Array) => values.map((value) => Math.max(value, 0) ** (1 / 2.2))
  const slope = colors.diffuseMean.data.map((value) => Math.max(value, 0.01) ** (1 / 2.2 - 1) / 2.2)
  const expressionPart = part(
    new Float32Array(shape.mean.data.length),
    shape.expression.data,
    layout.expression,
    expression,
    // Blendshapes go from 0 to 1, modes of a normal distribution both ways.
    0.35,
  )
  const common = { points, triangles, lengthUnit: 0.001 }
  const basel: StatismoInput = {
    ...common,
    parts: {
      '/shape': part(shape.mean.data, shape.identity.data, layout.identity, identity),
      '/expression': expressionPart,
      '/color': part(
        encoded(colors.diffuseMean.data),
        colors.diffuse.data.map((value, i) => value * slope[i % slope.length]),
        layout.albedo,
        albedo,
      ),
    },
  }
  return { basel, common, part }
}

/** Writes the two files, unless they are there. */
export async function writeBaselLike(path: string, options: BaselLikeOptions = {}): Promise<void> {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  const model = await readIctFaceKit(process.env.ICT ?? ictFolder, {
    face: 'full',
    template: await loadBaseModel(),
  })
  const { basel, common, part } = baselLike(model, options)
  writeFileSync(path, await writeStatismo(basel))
  const { diffuseMean, diffuse, specularMean, specular } = model.albedo
  const parts = {
    '/diffuseAlbedo': part(diffuseMean.data, diffuse.data, model.layout.albedo, 145),
    '/specularAlbedo': part(specularMean.data, specular.data, model.layout.albedo, 145),
  }
  writeFileSync(path.replace(/\.h5$/, '-albedo.h5'), await writeStatismo({ ...common, parts }))
}
