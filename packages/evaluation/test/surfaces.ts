import { createRandom } from '@facekit/core'
import { applySimilarity3d, type Similarity3d, type Surface } from '@facekit/mesh'

/** A face-sized relief of `side` x `side` vertices, mm: a curved front with a nose, bumps that tell heads apart, and a scanner's noise. */
export function relief(side: number, { seed = 1, noise = 0, bumps = 1, hole = false } = {}): Surface {
  const random = createRandom(seed)
  const positions = new Float64Array(side * side * 3)
  const triangles: number[] = []
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const [x, y] = [-70 + (140 * i) / (side - 1), -85 + (170 * j) / (side - 1)]
      const nose = 22 * Math.exp(-((x / 11) ** 2) - (y / 22) ** 2)
      const bump = bumps * (2 * Math.sin(x / 13 + 1) * Math.cos(y / 17) + Math.sin(x / 31 + y / 23))
      const at = (i * side + j) * 3
      positions[at] = x
      positions[at + 1] = y
      positions[at + 2] =
        40 - x ** 2 / 110 - y ** 2 / 260 + nose + bump + (noise ? random.normal(0, noise) : 0)
      if (i === side - 1 || j === side - 1) continue
      if (hole && Math.hypot(x - 25, y + 30) < 18) continue
      const a = i * side + j
      triangles.push(a, a + side, a + 1, a + 1, a + side, a + side + 1)
    }
  }
  return { positions, triangles: Int32Array.from(triangles) }
}

/** A rotation by angles about x, y and z, a scale and a translation. */
export function motion(
  angles: [number, number, number],
  scale: number,
  translation: [number, number, number],
): Similarity3d {
  const [[cx, sx], [cy, sy], [cz, sz]] = angles.map((a) => [Math.cos(a), Math.sin(a)])
  return {
    scale,
    rotation: [
      cz * cy,
      cz * sy * sx - sz * cx,
      cz * sy * cx + sz * sx,
      sz * cy,
      sz * sy * sx + cz * cx,
      sz * sy * cx - cz * sx,
      -sy,
      cy * sx,
      cy * cx,
    ],
    translation,
  }
}

/** A surface after a similarity. */
export const moved = (surface: Surface, similarity: Similarity3d): Surface => ({
  positions: applySimilarity3d(similarity, surface.positions),
  triangles: surface.triangles,
})

/** Points of a surface: the vertices nearest to places in the front view, mm. */
export function pointsAt(
  { positions }: Surface,
  places: readonly (readonly [number, number])[],
): Float64Array {
  return Float64Array.from(
    places.flatMap(([x, y]) => {
      let [best, least] = [0, Infinity]
      for (let v = 0; v * 3 < positions.length; v++) {
        const distance = Math.hypot(positions[v * 3] - x, positions[v * 3 + 1] - y)
        if (distance < least) [best, least] = [v, distance]
      }
      return [0, 1, 2].map((c) => positions[best * 3 + c])
    }),
  )
}

/** NoW's seven landmarks of a relief. */
export const sevenOf = (surface: Surface) =>
  pointsAt(surface, [
    [-45, 32],
    [-17, 32],
    [17, 32],
    [45, 32],
    [0, -20],
    [-24, -45],
    [24, -45],
  ])
