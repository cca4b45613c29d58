import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, assertDataType, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import { blendCrossings, findCrossings } from './blend-crossings.js'
import { blendImageGradient, blendSilhouettes, blendVertexGradient } from './cpu/antialias-arrays.js'
import { crossingsOf, type Crossings } from './cpu/crossings.js'
import type { Fragments } from './fragments.js'

interface Attributes {
  topology: Topology
  /** What the forward pass found, for the backward passes: tfjs hands them copies of its inputs. */
  found?: Crossings
}

const imageGradientKernel = defineKernel({
  name: 'FacekitAntialiasImageGradient',
  inputs: { clip: 'float32', ids: 'int32', depth: 'float32', upstream: 'float32' },
  outputs: ({ upstream }) => ({ gradient: float32(upstream) }),
  cpu(arrays, { gradient }, { upstream: [, , , channels] }, { topology, found }: Attributes, infos) {
    const crossings = found ?? crossingsOf(topology, arrays, infos)
    blendImageGradient(crossings, arrays.upstream, channels, gradient)
  },
})

const vertexGradientKernel = defineKernel({
  name: 'FacekitAntialiasVertexGradient',
  inputs: { clip: 'float32', ids: 'int32', depth: 'float32', image: 'float32', upstream: 'float32' },
  outputs: ({ clip }) => ({ gradient: float32(clip) }),
  cpu(arrays, { gradient }, shapes, { topology, found }: Attributes, infos) {
    const [, height, width, channels] = shapes.image
    const { clip, image, upstream } = arrays
    const crossings = found ?? crossingsOf(topology, arrays, infos)
    blendVertexGradient(crossings, clip, image, upstream, channels, width, height, gradient)
  },
})

const kernel = defineKernel({
  name: 'FacekitAntialias',
  inputs: { clip: 'float32', ids: 'int32', depth: 'float32', image: 'float32' },
  outputs: ({ image: [batch, height, width, channels] }) => ({
    picture: float32([batch, height, width, channels]),
  }),
  saves: ['clip', 'ids', 'depth', 'image'],
  constants: ['depth'],
  cpu(arrays, { picture }, { image: [, , , channels] }, attributes: Attributes, infos) {
    attributes.found = crossingsOf(attributes.topology, arrays, infos)
    blendSilhouettes(attributes.found, arrays.image, channels, picture)
  },
  // Crossings are found once, and are inputs of the blend to the tape, which keeps them for the backward pass.
  webgpu: {
    operations: ({ clip, image, ids, depth }, { topology }) =>
      blendCrossings({ clip, image, ...findCrossings({ clip, ids, depth }, { topology }) }, { topology }),
  },
  recordsOperations: true,
  gradient: ({ upstream: { picture: upstream }, saved, attributes }) => {
    const { clip, ids, depth } = saved
    return {
      clip: () => vertexGradientKernel({ ...saved, upstream }, attributes),
      image: () => imageGradientKernel({ clip, ids, depth, upstream }, attributes),
    }
  },
})

/** Smooths a picture at the silhouettes of the mesh, which makes visibility differentiable.
 *
 * Where two neighbouring pixels show different surfaces and the nearer one ends between their centres at t (0 at its own
 * centre, 1 at the other), colour is moved: for t >= 1/2 the farther pixel gets (t - 1/2) of the difference, for t < 1/2
 * the nearer one loses (1/2 - t) of it. Laine et al., "Modular primitives for high-performance differentiable rendering",
 * 2020, section 3.6; unlike there, a silhouette is found across triangles smaller than a pixel, too.
 *
 * @param image - `[B, H, W, C]` what `interpolate` or shading made of `fragments`, any number of channels (masks, too)
 * @param fragments - of `rasterize`
 * @param clipVertices - `[B, N, 4]` those given to `rasterize`
 * @param topology - of `createTopology`, of the same triangles
 * @returns `[B, H, W, C]`
 * @differentiable image; clipVertices (at silhouettes only: this is the part that `interpolate` lacks). Corners, and surfaces
 * thinner than a pixel, are approximated.
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes do not fit each other
 * @example
 * const mask = tf.expandDims(tf.cast(tf.greaterEqual(fragments.triangleIds, 0), 'float32'), 3)
 * const area = tf.sum(antialias(mask, fragments, clipVertices, topology)) // grows as the mesh grows
 */
export function antialias(
  image: Tensor4D,
  fragments: Fragments,
  clipVertices: Tensor3D,
  topology: Topology,
): Tensor4D {
  const known = assertShape('antialias: fragments.triangleIds', fragments.triangleIds, ['B', 'H', 'W'])
  assertShape('antialias: image', image, ['B', 'H', 'W', 'C'], known)
  assertShape('antialias: fragments.depth', fragments.depth, ['B', 'H', 'W', 1], known)
  assertShape('antialias: clipVertices', clipVertices, ['B', 'N', 4], known)
  assertDataType('antialias: image', image, 'float32')
  assertDataType('antialias: clipVertices', clipVertices, 'float32')
  if (topology.vertexCount !== known.N) {
    throw new ShapeError(
      `antialias: clipVertices has ${known.N} vertices, topology ${topology.vertexCount}; make it with createTopology(triangles, ${known.N})`,
    )
  }
  const { triangleIds: ids, depth } = fragments
  return kernel({ clip: clipVertices, ids, depth, image }, { topology })
}
