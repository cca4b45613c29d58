import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { outwards } from './head-part.js'
import { gridTriangles, smoothstep, type Host, type MeshPart } from './mesh-part.js'

/** A mask over mouth and nose: the face's own triangles there, a few millimetres farther out and smoother, moving with them. */
export function maskPart(model: MorphableModel, normals: Float32Array): MeshPart {
  const mean = model.shape.mean.data
  const point = (landmark: number) => [0, 1, 2].map((c) => mean[model.landmarks[landmark] * 3 + c])
  const [bridge, tip, chin] = [point(28), point(30), point(8)]
  /** How far inside of the mask's outline a vertex is, mm; pixel by pixel, only what is inside is rendered. */
  const depth = (v: number) => {
    const [x, y, z] = [0, 1, 2].map((c) => mean[v * 3 + c])
    return Math.min(bridge[1] - 4 - 0.0035 * x * x - y, y - chin[1] + 6, z + 9)
  }
  const covered = (v: number) => depth(v) > -7
  const used = new Map<number, number>()
  const triangles: number[] = []
  const mesh = [...model.triangles, ...model.innerMouthTriangles]
  for (let t = 0; t < mesh.length; t += 3) {
    const corners = mesh.slice(t, t + 3)
    if (!corners.every(covered)) continue
    for (const v of corners) {
      if (!used.has(v)) used.set(v, used.size)
      triangles.push(used.get(v)!)
    }
  }
  const positions = new Float32Array(used.size * 3)
  const uv = new Float32Array(used.size * 2)
  const hosts: Host[] = []
  for (const [v, i] of used) {
    const [x, y, z] = [0, 1, 2].map((c) => mean[v * 3 + c])
    // Stretched from the nose to the chin: nothing of the lips' relief is seen.
    const tent = tip[2] + 2 - 0.007 * x * x - 0.0045 * (y - tip[1] + 8) ** 2
    const out = 4.5
    positions.set(
      [
        x + normals[v * 3] * out,
        y + normals[v * 3 + 1] * out,
        Math.max(z + normals[v * 3 + 2] * out, Math.min(tent, z + 26)),
      ],
      i * 3,
    )
    uv.set([x / 60, depth(v) / 60], i * 2)
    hosts.push({ vertices: [v], weights: [1], identity: 1, expression: 0.6 })
  }
  return {
    name: 'mask',
    layer: 'front',
    material: 'mask',
    positions,
    triangles: Int32Array.from(triangles),
    label: labelOf('cloth'),
    hosts,
    uv,
  }
}

const ROWS = 9
const COLUMNS = 45

/** A scarf or high collar around the neck, up to the mouth where it is high. */
export function scarfPart(): MeshPart {
  const positions: number[] = []
  const uv: number[] = []
  const body: number[] = []
  for (let r = 0; r < ROWS; r++) {
    const t = r / (ROWS - 1)
    const y = -88 - 105 * t
    const bulge = Math.sin(Math.PI * Math.min(1, 0.15 + t)) * 18
    for (let c = 0; c < COLUMNS; c++) {
      const angle = (c / (COLUMNS - 1)) * 2 * Math.PI
      const ahead = -Math.cos(angle)
      const fold = 3 * Math.sin(5 * angle + 9 * t)
      const radius = 68 + bulge + 26 * smoothstep(0.55, 1, t) + fold
      positions.push(-Math.sin(angle) * radius, y - 10 * (1 - ahead), -42 + ahead * (radius + 12))
      uv.push((c / (COLUMNS - 1)) * 6, t * 2)
      body.push(0.7)
    }
  }
  return {
    name: 'scarf',
    layer: 'front',
    material: 'scarf',
    positions: Float32Array.from(positions),
    triangles: outwards(positions, gridTriangles(ROWS, COLUMNS), [0, -140, -45]),
    label: labelOf('cloth'),
    uv: Float32Array.from(uv),
    body: Float32Array.from(body),
  }
}
