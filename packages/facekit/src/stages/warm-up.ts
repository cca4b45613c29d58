import { annotate, detectFaces, findLandmarks, type FaceDetection, type Picture } from '@facekit/annotate'
import { loadBaseModel, loadHeadModel } from '@facekit/base-model'
import ndarray from 'ndarray'
import type { HeadExtent, Networks } from '../options.js'

/** Loads what a first face needs, and runs the networks once on an empty picture: shaders compile, memory is taken. */
export async function warmUp(
  networks: Networks,
  head: HeadExtent | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const side = 256
  const picture: Picture = ndarray(new Uint8Array(side * side * 3).fill(128), [side, side, 3])
  const box = { x: 40, y: 40, width: 176, height: 176 }
  const detection: FaceDetection = { box, score: 1 }
  await loadBaseModel()
  if (head === 'full') await loadHeadModel()
  signal?.throwIfAborted()
  await detectFaces(picture, { detector: networks === 'small' ? 'fast' : 'accurate', orientation: 'upright' })
  signal?.throwIfAborted()
  if (networks === 'large') {
    await annotate(picture, { detector: async () => [detection], segmenter: 'network' })
    return
  }
  await findLandmarks(picture, box, { network: 'dense' })
}
