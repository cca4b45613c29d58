import type { FaceMesh } from '../face-mesh.js'
import { lowerLipRings, upperLipRings } from '../face-parts.js'
import { refineLine } from './register-template.js'

/** How far a correction of the lips' inner edges reaches into the skin, mm. */
const REACH = 3.5

/** The inner edges of the lips, which touch when the mouth is closed. */
export interface Lips {
  pairs: { upper: number; lower: number }[]
  /** For each skin vertex near an edge: the share that it takes of the motion of its own lip's edge, by pair. */
  around: { vertex: number; lip: 'upper' | 'lower'; shares: Map<number, number> }[]
}

/** @param skin - `[S * 3]` mm */
export function placeLips(mesh: FaceMesh, skin: Float64Array): Lips {
  const [above, below] = [refineLine(mesh, upperLipRings[3]), refineLine(mesh, lowerLipRings[3])]
  const pairs = above
    .map((upper, k) => ({ upper, lower: below[k] }))
    .filter(({ upper, lower }) => upper !== lower)
  const { uv } = mesh
  const around: Lips['around'] = []
  for (let vertex = 0; vertex < mesh.skinEnd; vertex++) {
    const own = pairs.findIndex(({ upper, lower }) => vertex === upper || vertex === lower)
    if (own >= 0) {
      around.push({
        vertex,
        lip: vertex === pairs[own].upper ? 'upper' : 'lower',
        shares: new Map([[own, 1]]),
      })
      continue
    }
    // In the texture the upper lip lies above the lower one, whatever their shape.
    const across = (i: number) => Math.abs(uv[i * 2] - uv[vertex * 2])
    const beside = pairs.reduce((best, pair) => (across(pair.upper) < across(best.upper) ? pair : best))
    const lip =
      uv[vertex * 2 + 1] > (uv[beside.upper * 2 + 1] + uv[beside.lower * 2 + 1]) / 2 ? 'upper' : 'lower'
    const distances = pairs.map((pair) =>
      Math.hypot(...[0, 1, 2].map((c) => skin[pair[lip] * 3 + c] - skin[vertex * 3 + c])),
    )
    const nearest = Math.min(...distances)
    if (nearest > 2.5 * REACH) continue
    const near = distances.map((d) => Math.exp(-(d ** 2 - nearest ** 2) / 4))
    const total = near.reduce((sum, value) => sum + value, 0)
    const fade = Math.exp(-((nearest / REACH) ** 2))
    around.push({
      vertex,
      lip,
      shares: new Map(
        near.map((value, k) => [k, (fade * value) / total] as const).filter(([, s]) => s > 1e-3),
      ),
    })
  }
  return { pairs, around }
}

/** Changes the gap between the lips' edges, half of it by each lip; the skin near to them follows.
 *
 * @param shape - `[S * 3]` mm, where the lips are
 * @param field - `[S * 3]` mm, what is changed: the shape, or the displacement that made it
 * @param wanted - the height of a pair's upper edge above its lower one that is wanted, from that which is there
 */
export function sealLips(
  { pairs, around }: Lips,
  shape: Float64Array,
  field: Float64Array,
  wanted: (height: number, pair: number) => number,
): void {
  const halves = pairs.map(({ upper, lower }, k) => {
    const height = shape[upper * 3 + 1] - shape[lower * 3 + 1]
    return (wanted(height, k) - height) / 2
  })
  for (const { vertex, lip, shares } of around) {
    for (const [k, share] of shares) {
      field[vertex * 3 + 1] += (lip === 'upper' ? 1 : -1) * share * halves[k]
    }
  }
}
