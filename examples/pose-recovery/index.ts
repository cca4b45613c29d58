// A face's pose, light and shape, found from one picture: no landmarks, no network, only the gradient of the renderer.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import { renderFace, rotationMatrix } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'
import * as gifenc from 'gifenc'

/** Options of `recoverPose`. */
export interface PoseRecoveryOptions {
  /** Width and height of the pictures, a multiple of 16. */
  size?: number
  iterations?: number
  /** How far off the start is turned, about a random axis. */
  degrees?: number
  seed?: number
  /** A frame is kept after this many iterations. */
  every?: number
}

/** What came of it. */
export interface PoseRecovery {
  /** PNG files: the target, the face as it is by then, and their difference, side by side. */
  frames: Uint8Array[]
  /** The same as an animated GIF. */
  animation: Uint8Array
  /** Before each iteration, and in the end: degrees between the head's rotation and that of the target. */
  angles: number[]
  /** Mean squared difference of the pictures at each iteration. */
  losses: number[]
}

/** What is looked for, in units in which a step of the optimiser is about the same for all. */
const UNITS = { rotation: 1, translation: 60, identity: 2, light: 1.5 }

export async function recoverPose(options: PoseRecoveryOptions = {}): Promise<PoseRecovery> {
  const { size = 112, iterations = 200, degrees = 40, seed = 1, every = 5 } = options
  // The variant of the README's picture.
  const model = await loadBaseModel({ variant: 'synthetic' })
  // 1. The picture to be explained: a stranger, head turned, light from somewhere.
  const truth = target(model, seed)
  const picture = (parameters: FaceParameters) =>
    renderFace(model, parameters, { width: size, height: size, background: 0.1 }).image
  const wanted = tf.tidy(() => picture(truth))
  // 2. The start: the mean face in white light, turned away and moved aside.
  const start = neutralParameters(model.layout)
  const unknowns = tf.tidy(() => ({
    rotation: tf.variable(turned(truth.pose.rotation, degrees, seed)),
    translation: tf.variable(tf.tensor2d([[0.2, -0.15, 0]])),
    identity: tf.variable(tf.zerosLike(start.identity)),
    light: tf.variable(tf.zerosLike(start.illumination.sphericalHarmonics)),
  }))
  const guess = (): FaceParameters => ({
    ...start,
    albedo: truth.albedo,
    identity: tf.mul(unknowns.identity, UNITS.identity) as tf.Tensor2D,
    pose: {
      rotation: unknowns.rotation as tf.Tensor2D,
      translation: tf.mul(unknowns.translation, UNITS.translation) as tf.Tensor2D,
      scale: start.pose.scale,
    },
    illumination: {
      ...start.illumination,
      sphericalHarmonics: tf.add(
        start.illumination.sphericalHarmonics,
        tf.mul(unknowns.light, UNITS.light),
      ) as tf.Tensor3D,
    },
  })
  // 3. The loss: squared differences of the pictures, also of coarse ones, in which a nose finds a nose that is far away.
  const loss = () => {
    const difference = tf.sub(picture(guess()), wanted) as tf.Tensor4D
    const coarse = [4, 16].map((cell) => tf.avgPool(difference, cell, cell, 'valid'))
    const terms = [difference, ...coarse].map((part) => tf.mean(tf.square(part)))
    const unlikely = tf.mul(tf.mean(tf.square(unknowns.identity)), 0.01)
    return tf.addN([...terms, unlikely]) as tf.Scalar
  }
  // 4. Downhill, with the gradient of every pixel with respect to every unknown.
  const optimizer = tf.train.adam(0.02, 0.9, 0.99)
  const result: PoseRecovery = { frames: [], animation: new Uint8Array(), angles: [], losses: [] }
  const rows: Uint8Array[] = []
  for (let i = 0; i <= iterations; i++) {
    result.angles.push(await angleBetween(unknowns.rotation as tf.Tensor2D, truth.pose.rotation))
    if (i % every === 0)
      rows.push(
        await sideBySide(
          wanted,
          tf.tidy(() => picture(guess())),
        ),
      )
    if (i === iterations) break
    // Large steps first, small ones to settle.
    const share = i / iterations
    ;(optimizer as unknown as { learningRate: number }).learningRate = 0.02 * (1 - 0.9 * share)
    const value = optimizer.minimize(loss, true)!
    result.losses.push((await value.data())[0])
    value.dispose()
  }
  // 5. The pictures on the way.
  for (const data of rows)
    result.frames.push(encode({ width: 3 * size, height: size, channels: 3, depth: 8, data }))
  result.animation = animate(rows, 3 * size, size)
  optimizer.dispose()
  tf.dispose([wanted, ...Object.values(unknowns)])
  disposeParameters(truth)
  disposeParameters(start)
  return result
}

/** The face to be found. */
function target(model: MorphableModel, seed: number): FaceParameters {
  const random = createRandom(seed)
  const neutral = neutralParameters(model.layout)
  const { identity, expression, albedo } = sampleCoefficients(model.layout, { seed, deviation: 0.7 })
  expression.dispose()
  const tilt = [random.uniform(-0.15, 0.15), random.uniform(-0.4, 0.4), random.uniform(-0.15, 0.15)]
  const { sphericalHarmonics, ...point } = neutral.illumination
  const lit = tf.tidy(() => {
    const side = tf.tensor3d([
      [
        [0.3, 0.3, 0.3],
        [0.6, 0.55, 0.5],
        [random.uniform(-1, 1), 0.2, 0.1],
      ],
    ])
    const band = tf.concat([tf.zeros([1, 1, 3]), side, tf.zeros([1, 5, 3])], 1)
    return tf.add(sphericalHarmonics, band) as tf.Tensor3D
  })
  tf.dispose([sphericalHarmonics, neutral.identity, neutral.albedo, neutral.pose.rotation])
  return {
    identity,
    albedo,
    expression: neutral.expression,
    pose: { ...neutral.pose, rotation: tf.tensor2d([tilt]) },
    illumination: { ...point, sphericalHarmonics: lit },
  }
}

/** Angles of a rotation that is a number of degrees away, about a random axis: by trial, as angles do not add up. */
function turned(rotation: tf.Tensor2D, degrees: number, seed: number): tf.Tensor2D {
  const random = createRandom(seed + 1000)
  const axis = Array.from({ length: 3 }, () => random.normal())
  const size = Math.hypot(...axis)
  return tf.tidy(() => {
    const step = tf.tensor2d([axis.map((x) => ((x / size) * degrees * Math.PI) / 180)])
    return tf.add(rotation, step) as tf.Tensor2D
  })
}

/** Degrees of the turn from one rotation to another. */
async function angleBetween(a: tf.Tensor2D, b: tf.Tensor2D): Promise<number> {
  const trace = tf.tidy(() => tf.sum(tf.mul(rotationMatrix(a), rotationMatrix(b))))
  const [value] = await trace.data()
  trace.dispose()
  return (Math.acos(Math.min(1, Math.max(-1, (value - 1) / 2))) * 180) / Math.PI
}

/** Target, picture and difference as bytes. */
async function sideBySide(wanted: tf.Tensor4D, picture: tf.Tensor4D): Promise<Uint8Array> {
  const row = tf.tidy(() => tf.concat([wanted, picture, tf.abs(tf.sub(picture, wanted))], 2))
  const bytes = Uint8Array.from(await row.data(), (value) => Math.round(value * 255))
  tf.dispose([row, picture])
  return bytes
}

// Node finds this package's CommonJS, bundlers its ES module.
const gif = 'GIFEncoder' in gifenc ? gifenc : (gifenc as { default: typeof gifenc }).default

/** An animated GIF of pictures of one size, the last of which stays for a while. */
function animate(rows: readonly Uint8Array[], width: number, height: number): Uint8Array {
  const encoder = gif.GIFEncoder()
  for (const [i, row] of rows.entries()) {
    const rgba = new Uint8Array((row.length / 3) * 4).fill(255)
    for (let from = 0, to = 0; from < row.length; from += 3, to += 4)
      rgba.set(row.subarray(from, from + 3), to)
    const palette = gif.quantize(rgba, 256)
    const delay = i === rows.length - 1 ? 2000 : 80
    encoder.writeFrame(gif.applyPalette(rgba, palette), width, height, { palette, delay })
  }
  encoder.finish()
  return encoder.bytes()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { backend } = await initEngine({ backend: 'wasm' })
  const [folder = 'pose-recovery', seed = '1'] = process.argv.slice(2)
  const { frames, animation, angles, losses } = await recoverPose({ seed: Number(seed) })
  await mkdir(folder, { recursive: true })
  for (const [i, frame] of frames.entries()) {
    await writeFile(join(folder, `frame-${String(i).padStart(3, '0')}.png`), frame)
  }
  await writeFile(join(folder, 'animation.gif'), animation)
  console.log(
    `${backend}: ${angles[0].toFixed(1)} degrees off at the start, ${angles.at(-1)!.toFixed(2)} after ${losses.length} steps; ` +
      `loss ${losses[0].toExponential(1)} to ${losses.at(-1)!.toExponential(1)}; ${frames.length} frames in ${folder}`,
  )
}
