import { getBackend, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, assertDataType, assertShape } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import { blendImageGradient, blendSilhouettes, blendVertexGradient } from './cpu/antialias-arrays.js'
import { crossingsOf, type Crossings } from './cpu/crossings.js'
import { antialiasWithGpu } from './webgpu/antialias-operation.js'
import type { Fragments } from './rasterize.js'

interface Attributes {
  topology: Topology
  /** Channels C of the picture. */
  channels: number
  /** What the forward pass found, for the backward passes: tfjs hands them copies of its inputs. */
  found?: Crossings
}

const imageGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitAntialiasImageGradient',
  inputs: ['clip', 'ids', 'depth', 'upstream'],
  outputs: (shapes) => [{ shape: shapes[3], dtype: 'float32' }],
  compute(arrays, [gradient], _shapes, { topology, channels, found }, infos) {
    const crossings = found ?? crossingsOf(topology, arrays, infos)
    blendImageGradient(crossings, arrays[3] as Float32Array, channels, gradient as Float32Array)
  },
}

const vertexGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitAntialiasVertexGradient',
  inputs: ['clip', 'ids', 'depth', 'image', 'upstream'],
  outputs: ([clip]) => [{ shape: clip, dtype: 'float32' }],
  compute(arrays, [gradient], shapes, { topology, channels, found }, infos) {
    const [, height, width] = shapes[1]
    blendVertexGradient(
      found ?? crossingsOf(topology, arrays, infos),
      arrays[0] as Float32Array,
      arrays[3] as Float32Array,
      arrays[4] as Float32Array,
      channels,
      width,
      height,
      gradient as Float32Array,
    )
  },
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitAntialias',
  inputs: ['clip', 'ids', 'depth', 'image'],
  outputs: (shapes) => [{ shape: shapes[3], dtype: 'float32' }],
  compute(arrays, [output], _shapes, attributes, infos) {
    const { topology, channels } = attributes
    const crossings = crossingsOf(topology, arrays, infos)
    attributes.found = crossings
    blendSilhouettes(crossings, arrays[3] as Float32Array, channels, output as Float32Array)
  },
  gradient: {
    inputsToSave: ['clip', 'ids', 'depth', 'image'],
    gradFunc: (dy, [clip, ids, depth, image], attrs) => {
      const upstream = dy as Tensor
      const attributes = attrs as unknown as Attributes
      return {
        clip: () => runHostKernel(vertexGradientKernel, { clip, ids, depth, image, upstream }, attributes)[0],
        image: () => runHostKernel(imageGradientKernel, { clip, ids, depth, upstream }, attributes)[0],
      }
    },
  },
}

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
  if (getBackend() === 'webgpu') return antialiasWithGpu(image, fragments, clipVertices, topology)
  const { triangleIds: ids, depth } = fragments
  const [output] = runHostKernel(
    kernel,
    { clip: clipVertices, ids, depth, image },
    { topology, channels: known.C },
  )
  return output as Tensor4D
}
