import { findCrossing, toPixelSpace, type Crossing } from './silhouettes.js'
import type { Topology } from './topology.js'

/** What the passes over a batch of pictures share. */
export interface SilhouetteScene {
  topology: Topology
  clip: Float32Array
  ids: Int32Array
  depth: Float32Array
  batch: number
  width: number
  height: number
}

/** Calls `visit` for each pair of neighbouring pixels with a silhouette between them, the nearer pixel first. */
function forEachCrossing(
  scene: SilhouetteScene,
  visit: (nearer: number, farther: number, crossing: Crossing, item: number) => void,
): void {
  const { topology, clip, ids, depth, batch, width, height } = scene
  const count = topology.vertexCount
  let q = 0
  for (let item = 0; item < batch; item++) {
    const points = toPixelSpace(clip, item * count * 4, count, width, height)
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, q++) {
        for (let direction = 0; direction < 2; direction++) {
          const horizontal = direction === 0
          if (horizontal ? column + 1 === width : row + 1 === height) continue
          const other = horizontal ? q + 1 : q + width
          const id = ids[q]
          const otherId = ids[other]
          if (id === otherId) continue
          const here = id >= 0 && (otherId < 0 || depth[q] <= depth[other])
          const sign = here ? 1 : -1
          const found = findCrossing(
            points,
            topology,
            here ? id : otherId,
            here ? otherId : id,
            column + (horizontal && !here ? 1.5 : 0.5),
            row + (!horizontal && !here ? 1.5 : 0.5),
            horizontal ? sign : 0,
            horizontal ? 0 : sign,
          )
          if (found !== undefined) visit(here ? q : other, here ? other : q, found, item)
        }
      }
    }
  }
}

/** Fills `output` with the picture, colour moved over silhouettes. */
export function blendSilhouettes(
  scene: SilhouetteScene,
  image: Float32Array,
  channels: number,
  output: Float32Array,
): void {
  output.set(image)
  forEachCrossing(scene, (nearer, farther, { position }) => {
    const amount = position - 0.5
    const target = (amount >= 0 ? farther : nearer) * channels
    for (let k = 0; k < channels; k++) {
      output[target + k] += amount * (image[nearer * channels + k] - image[farther * channels + k])
    }
  })
}

/** Fills `gradient` with that of the picture. */
export function blendImageGradient(
  scene: SilhouetteScene,
  upstream: Float32Array,
  channels: number,
  gradient: Float32Array,
): void {
  gradient.set(upstream)
  forEachCrossing(scene, (nearer, farther, { position }) => {
    const amount = position - 0.5
    const target = (amount >= 0 ? farther : nearer) * channels
    for (let k = 0; k < channels; k++) {
      const moved = amount * upstream[target + k]
      gradient[nearer * channels + k] += moved
      gradient[farther * channels + k] -= moved
    }
  })
}

/** Fills `gradient` with that of the clip-space vertices.
 *
 * position = n / (n - f), with the edge functions n and f at the two centres:
 * d position = (n df - f dn) / (n - f)^2, and the edge function is bilinear in the two vertices.
 */
export function blendVertexGradient(
  scene: SilhouetteScene,
  image: Float32Array,
  upstream: Float32Array,
  channels: number,
  gradient: Float32Array,
): void {
  const { topology, clip, width, height } = scene
  const halfWidth = width / 2
  const halfHeight = height / 2
  gradient.fill(0)
  /** Adds `scale` times the derivative of the edge function of vertices a and b at the centre of a pixel. */
  const addEdge = (a: number, b: number, column: number, row: number, scale: number) => {
    const dx = halfWidth - (column + 0.5)
    const dy = halfHeight - (row + 0.5)
    const au = clip[a] * halfWidth + clip[a + 3] * dx
    const av = clip[a + 3] * dy - clip[a + 1] * halfHeight
    const bu = clip[b] * halfWidth + clip[b + 3] * dx
    const bv = clip[b + 3] * dy - clip[b + 1] * halfHeight
    gradient[a] += scale * bv * halfWidth
    gradient[a + 1] += scale * bu * halfHeight
    gradient[a + 3] += scale * (bv * dx - bu * dy)
    gradient[b] -= scale * av * halfWidth
    gradient[b + 1] -= scale * au * halfHeight
    gradient[b + 3] += scale * (au * dy - av * dx)
  }
  forEachCrossing(scene, (nearer, farther, { position, first, second, near, far }, item) => {
    const target = (position >= 0.5 ? farther : nearer) * channels
    let slope = 0
    for (let k = 0; k < channels; k++) {
      slope += upstream[target + k] * (image[nearer * channels + k] - image[farther * channels + k])
    }
    if (slope === 0) return
    const scale = slope / ((near - far) * (near - far))
    const offset = item * topology.vertexCount * 4
    const a = offset + 4 * first
    const b = offset + 4 * second
    const column = (q: number) => q % width
    const row = (q: number) => Math.floor(q / width) % height
    addEdge(a, b, column(nearer), row(nearer), -far * scale)
    addEdge(a, b, column(farther), row(farther), near * scale)
  })
}
