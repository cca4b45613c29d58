import { readFileSync } from 'node:fs'

/** The canonical face of MediaPipe: control vertices of the base model. */
export interface CanonicalFace {
  /** `[468 * 3]` mm. */
  positions: Float64Array
  /** `[468 * 2]`, origin at the lower left. */
  uv: Float64Array
  /** `[898 * 3]`, eyes and mouth covered. */
  triangles: number[]
  /** `[468]` each vertex's mirror image at -x. */
  mirror: number[]
}

/** Reads `data/canonical-face.json` and finds the mirror image of each vertex. */
export function readCanonicalFace(): CanonicalFace {
  const file = new URL('../data/canonical-face.json', import.meta.url)
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<'positions' | 'uv' | 'triangles', number[]>
  const positions = Float64Array.from(json.positions, (centimetres) => centimetres * 10)
  const count = positions.length / 3
  const mirror: number[] = []
  for (let i = 0; i < count; i++) {
    let best = -1
    let bestDistance = 1e-2
    for (let j = 0; j < count; j++) {
      const distance =
        Math.abs(positions[i * 3] + positions[j * 3]) +
        Math.abs(positions[i * 3 + 1] - positions[j * 3 + 1]) +
        Math.abs(positions[i * 3 + 2] - positions[j * 3 + 2])
      if (distance < bestDistance) {
        best = j
        bestDistance = distance
      }
    }
    if (best < 0) throw new Error(`readCanonicalFace: vertex ${i} has no mirror image`)
    mirror.push(best)
  }
  return { positions, uv: Float64Array.from(json.uv), triangles: json.triangles, mirror }
}
