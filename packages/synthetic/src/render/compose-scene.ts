import { antialias } from '@facekit/rasterizer'
import { encodeGamma } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { joinChannels } from './channels.js'
import { blend } from './blend.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import type { RenderedFront } from './render-front.js'
import type { RenderedHead } from './render-head.js'
import type { RenderedLayer } from './render-hair.js'
import { channels, perPicture } from './tensor-helpers.js'

/** All layers as one picture. All `[B, S, S, ...]`. */
export interface ComposedScene {
  /** 3, encoded, 0..1. */
  image: tf.Tensor4D
  /** 1 each. */
  label: tf.Tensor4D
  face: tf.Tensor4D
  mouth: tf.Tensor4D
  bare: tf.Tensor4D
  /** 3 */
  normals: tf.Tensor4D
  /** 1, of the nearest thing that hides what is behind it: z / w, as the rasterizer has it. */
  depth: tf.Tensor4D
  /** 1 where a patch lies over everything. */
  patch: tf.Tensor4D
}

/** Pixels, of a picture of 224, over which a shadow of something near reaches. */
const SHADOW = 11

/** Puts layers over each other, by depth, with shadows of what lies before the head on it. */
export function composeScene(
  d: Sampled<SceneSamples>,
  head: RenderedHead,
  hair: RenderedLayer,
  front: RenderedFront,
  background: tf.Tensor4D,
  patches: { color: tf.Tensor4D; alpha: tf.Tensor4D },
): ComposedScene {
  const size = background.shape[1]
  const nearer = (a: tf.Tensor, b: tf.Tensor) => tf.cast(tf.less(a, b), 'float32')
  const hairAlpha = tf.mul(hair.alpha, nearer(hair.seen.depth, head.seen.depth))
  const hairDepth = tf.where(tf.greater(hairAlpha, 0.5), hair.seen.depth, head.seen.depth)
  const isNearest = nearer(front.seen.depth, hairDepth)
  const frontAlpha = tf.mul(front.alpha, isNearest)
  const frontHides = tf.mul(front.hides, isNearest)
  const shadow = contactShadow(d, tf.maximum(hairAlpha, frontHides) as tf.Tensor4D, size)
  const layers = blend(background, tf.mul(head.color, shadow), head.seen.there)
  const haired = blend(layers, hair.color, hairAlpha)
  const fronted = blend(haired, front.color, frontAlpha)
  const open = tf.mul(tf.sub(1, hairAlpha), tf.sub(1, frontHides))
  const share = (part: tf.Tensor) => tf.mul(part, open)
  const bare = tf.add(share(head.bare), tf.mul(front.bare, isNearest))
  const sharp = joinChannels<tf.Tensor4D>(encodeGamma(fronted), share(head.face), share(head.mouth), bare)
  // Outlines of each layer, nearest last.
  const smooth = [head, hair, front].reduce<tf.Tensor4D>(
    (picture, { seen }) => antialias(picture, seen.fragments, seen.clip, seen.layer.topology),
    sharp,
  )
  const free = tf.sub(1, patches.alpha)
  const patched = (first: number) => tf.mul(channels(smooth, first), free) as tf.Tensor4D
  const seenHead = tf.mul(tf.mul(head.seen.there, open), free)
  const behind = tf.where(tf.greater(hairAlpha, 0.5), hair.label, head.label)
  // A lens is a lens however clear it is.
  const before = tf.mul(front.there, isNearest)
  const label = tf.where(tf.greater(before, 0.5), front.label, behind)
  return {
    image: blend(channels(smooth, 0, 3), encodeGamma(patches.color), patches.alpha),
    label: tf.mul(label, free),
    face: patched(3),
    mouth: patched(4),
    bare: patched(5),
    normals: tf.mul(head.normals, seenHead),
    depth: tf.where(tf.greater(frontHides, 0.5), front.seen.depth, hairDepth) as tf.Tensor4D,
    patch: patches.alpha,
  }
}

/** Light that is left on the head near occluders: factor. */
function contactShadow(d: Sampled<SceneSamples>, cover: tf.Tensor4D, size: number): tf.Tensor4D {
  const width = Math.max(3, 2 * Math.round((SHADOW * size) / 448) + 1)
  const blurred = tf.avgPool(tf.avgPool(cover, width, 1, 'same'), width, 1, 'same')
  return tf.sub(1, tf.mul(blurred, perPicture(d.contactShadow)))
}
