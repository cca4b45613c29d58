import type { Topology } from '@facekit/mesh'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { findCrossing } from './find-crossing.js'
import { markSilhouettes } from './mark-silhouettes.js'
import { projectSurface } from './projected-surface.js'

/* Contributor notes
 *
 * The method is that of Laine et al., "Modular primitives for high-performance differentiable rendering" (2020), section 3.6:
 * where two neighbouring pixels show different surfaces, find where the nearer surface's silhouette crosses the line between the
 * two centres, and move colour from one pixel to the other in proportion to the distance of the crossing from the middle. The
 * place of the crossing is a smooth function of two vertices, and that is the gradient of visibility.
 *
 * What differs: the method as published looks at the edges of the one triangle that covers the pixel, and so finds nothing when
 * triangles are smaller than pixels, as those of a face at 224 x 224 are towards its contour. Here the line is followed from
 * triangle to triangle over the mesh's adjacency until it leaves the surface or reaches the other pixel (find-crossing.ts).
 *
 * In a fine mesh nearly all neighbouring pixels show different triangles, and walking between all of them took five times as
 * long as rasterizing. So the silhouette edges are found first, by comparing the sides of neighbouring triangles, and only pixels
 * near one of them are looked at (mark-silhouettes.ts). The list is kept with the fragments: the backward passes, and other
 * pictures of the same fragments, use it again.
 *
 * An edge whose direction is nearer to the vertical moves colour between horizontal neighbours only, and the other way round:
 * otherwise its area would count twice. With that, a straight edge adds up to its exact area in each row.
 */

/** Pairs of neighbouring pixels with a silhouette between them; all arrays are of one length. */
export interface Crossings {
  /** Pixel on the surface that ends, and the other one; indices into `[B, H, W]`. */
  nearer: number[]
  farther: number[]
  /** Vertices of the edge; indices into `[B, N]`. */
  first: number[]
  second: number[]
  /** Edge functions at the nearer and at the farther pixel's centre. */
  near: number[]
  far: number[]
}

/** Lists by the identity of the triangle ids they were found with; gone when those are. */
const cache = new WeakMap<object, { clip: object; depth: object; topology: Topology; crossings: Crossings }>()

/** The crossings of a batch of pictures, found once for the same tensors. */
export function crossingsOf(
  topology: Topology,
  { clip, ids, depth }: { clip: Float32Array; ids: Int32Array; depth: Float32Array },
  infos: Readonly<Record<'clip' | 'ids' | 'depth', TensorInfo>>,
): Crossings {
  const identity = { clip: infos.clip.dataId, depth: infos.depth.dataId, topology }
  const known = cache.get(infos.ids.dataId)
  if (known?.clip === identity.clip && known.depth === identity.depth && known.topology === topology) {
    return known.crossings
  }
  const [batch, height, width] = infos.ids.shape
  const crossings = findCrossings(topology, clip, ids, depth, batch, width, height)
  cache.set(infos.ids.dataId, { ...identity, crossings })
  return crossings
}

function findCrossings(
  topology: Topology,
  clip: Float32Array,
  ids: Int32Array,
  depth: Float32Array,
  batch: number,
  width: number,
  height: number,
): Crossings {
  const list: Crossings = { nearer: [], farther: [], first: [], second: [], near: [], far: [] }
  const pixels = width * height
  for (let item = 0; item < batch; item++) {
    const vertices = item * topology.vertexCount
    const surface = projectSurface(clip, 4 * vertices, topology, width, height)
    const marks = markSilhouettes(surface, topology, width, height)
    for (let pixel = 0; pixel < pixels; pixel++) {
      if (marks[pixel] === 0) continue
      const q = item * pixels + pixel
      const column = pixel % width
      for (let direction = 0; direction < 2; direction++) {
        const step = direction === 0 ? 1 : width
        if (direction === 0 ? column + 1 === width : pixel + width >= pixels) continue
        const id = ids[q]
        const other = ids[q + step]
        if (id === other || marks[pixel + step] === 0) continue
        const here = id >= 0 && (other < 0 || depth[q] <= depth[q + step])
        const pixelHere = here ? pixel : pixel + step
        const sign = here ? 1 : -1
        const found = findCrossing(
          surface,
          topology,
          here ? id : other,
          here ? other : id,
          (pixelHere % width) + 0.5,
          Math.floor(pixelHere / width) + 0.5,
          direction === 0 ? sign : 0,
          direction === 0 ? 0 : sign,
        )
        if (found === undefined) continue
        list.nearer.push(here ? q : q + step)
        list.farther.push(here ? q + step : q)
        list.first.push(vertices + found.first)
        list.second.push(vertices + found.second)
        list.near.push(found.near)
        list.far.push(found.far)
      }
    }
  }
  return list
}
