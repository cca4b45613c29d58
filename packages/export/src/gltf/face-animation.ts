import { ShapeError, ValueError } from '@facekit/core'
import type { Buffer, Document, Node } from '@gltf-transform/core'

/** How a face moves: values at T points in time, between which programs interpolate linearly. */
export interface FaceAnimation {
  /** `[T]` seconds, rising. */
  times: ArrayLike<number>
  /** `[T * targets]` weights of the morph targets, key by key; programs that limit them do so to 0..1. */
  weights?: ArrayLike<number>
  /** `[T * 4]` unit quaternions x, y, z, w. */
  rotation?: ArrayLike<number>
  /** `[T * 3]` mm. */
  translation?: ArrayLike<number>
  /** `[T]` factors. */
  scale?: ArrayLike<number>
  /** Default 'face'. */
  name?: string
}

interface AnimatedNodes {
  /** What moves. */
  node: Node
  /** What has the morph targets. */
  mesh: Node
  /** How many of them. */
  targets: number
}

/** Adds an animation of a node and its morph targets to a document.
 *
 * @throws {ShapeError} when there are not as many values as times ask for
 * @throws {ValueError} when times do not rise, or a number is not finite
 */
export function addAnimation(
  document: Document,
  buffer: Buffer,
  { node, mesh, targets }: AnimatedNodes,
  { times, weights, rotation, translation, scale, name = 'face' }: FaceAnimation,
): void {
  const who = 'encodeGlb: animation'
  const count = times.length
  if (count === 0) throw new ShapeError(`${who}.times is [0], expected at least one`)
  for (let i = 0; i < count; i++)
    if (!(times[i] >= 0) || (i > 0 && !(Math.fround(times[i]) > Math.fround(times[i - 1]))))
      throw new ValueError(`${who}.times[${i}] is ${times[i]}, expected seconds from 0 that rise`)
  const accessor = (type: 'SCALAR' | 'VEC3' | 'VEC4', values: Float32Array<ArrayBuffer>) =>
    document.createAccessor().setType(type).setArray(values).setBuffer(buffer)
  const input = accessor('SCALAR', Float32Array.from(times))
  const animation = document.createAnimation(name)
  const add = (
    path: 'weights' | 'rotation' | 'translation' | 'scale',
    type: 'SCALAR' | 'VEC3' | 'VEC4',
    values: ArrayLike<number>,
    width: number,
    map = (value: number) => value,
  ) => {
    if (values.length !== count * width)
      throw new ShapeError(`${who}.${path} is [${values.length}], expected [${count * width}]`)
    const numbers = Float32Array.from(values, map)
    const odd = numbers.findIndex((value) => !Number.isFinite(value))
    if (odd >= 0) throw new ValueError(`${who}.${path}[${odd}] is ${values[odd]}, expected finite numbers`)
    const output = accessor(type, numbers)
    const sampler = document
      .createAnimationSampler()
      .setInput(input)
      .setOutput(output)
      .setInterpolation('LINEAR')
    const channel = document
      .createAnimationChannel()
      .setTargetNode(path === 'weights' ? mesh : node)
      .setTargetPath(path)
      .setSampler(sampler)
    animation.addSampler(sampler).addChannel(channel)
  }
  if (weights) add('weights', 'SCALAR', weights, targets)
  if (rotation) add('rotation', 'VEC4', rotation, 4)
  if (translation) add('translation', 'VEC3', translation, 3, (value) => value / 1000)
  if (scale) {
    const three = Float32Array.from({ length: 3 * scale.length }, (_, i) => scale[Math.floor(i / 3)])
    add('scale', 'VEC3', three, 3)
  }
}
