import { interpolate, rasterize, type Fragments } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import { pickRows } from './channels.js'
import type { SceneLayer } from '../scene/scene-model.js'

/** A layer in a batch of pictures. */
export interface SeenLayer {
  layer: SceneLayer
  fragments: Fragments
  /** `[B, n, 4]` clip space of the layer's vertices. */
  clip: tf.Tensor3D
  /** `[B, S, S, 1]` 1 where there is anything. */
  there: tf.Tensor4D
  /** `[B, S, S, 1]` */
  depth: tf.Tensor4D
  /** Vertices' values at the pixels: `[B, n, C]` or `[1, n, C]` to `[B, S, S, C]`. */
  spread(values: tf.Tensor3D): tf.Tensor4D
  /** Triangles' values at the pixels: `[F + 1, C]`, the first for nothing, to `[B, S, S, C]`. */
  pick(table: tf.Tensor2D): tf.Tensor4D
  /** The layer's rows of a table of all vertices: `[B, N, C]` to `[B, n, C]`. */
  rows(values: tf.Tensor3D): tf.Tensor3D
}

/** Rasterizes a layer. */
export function seeLayer(layer: SceneLayer, clip: tf.Tensor3D, size: number): SeenLayer {
  const rows = (values: tf.Tensor3D) => tf.slice(values, [0, layer.first, 0], [-1, layer.count, -1])
  const own = rows(clip)
  const fragments = rasterize(own, layer.triangles, { width: size, height: size })
  const next = tf.add(fragments.triangleIds, tf.scalar(1, 'int32'))
  return {
    layer,
    fragments,
    clip: own,
    there: tf.cast(tf.expandDims(tf.greater(next, 0), 3), 'float32') as tf.Tensor4D,
    depth: fragments.depth,
    spread: (values) => interpolate(values, fragments, layer.triangles),
    pick: (table) => pickRows(table, tf.cast(next, 'int32') as tf.Tensor3D),
    rows,
  }
}

/** A table for `pick`: a row of zeros, then one for each triangle. */
export function triangleTable(
  layer: SceneLayer,
  rowOf: (triangle: number) => readonly number[],
): tf.Tensor2D {
  const rows = Array.from(layer.labels, (_, t) => rowOf(t))
  return tf.tensor2d([rows[0].map(() => 0), ...rows.map((row) => [...row])])
}
