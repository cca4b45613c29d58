// A triangle finds its way onto another one by looking at pictures only.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { createTopology } from '@facekit/mesh'
import { antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { pathToFileURL } from 'node:url'

const size = 48
const triangles = Int32Array.of(0, 1, 2)
const topology = createTopology(triangles, 3)

/** Draws the triangle `[3, 2]`, x and y from -1 to 1, y up, as a picture `[1, 48, 48, 3]`. */
function draw(corners: tf.Tensor2D): tf.Tensor4D {
  return tf.tidy(() => {
    // 1. Clip space: here simply x, y, depth 0 and w 1. A camera would multiply by its matrix.
    const clip = tf.expandDims<tf.Tensor3D>(tf.concat([corners, tf.zeros([3, 1]), tf.ones([3, 1])], 1), 0)
    // 2. Which triangle is at each pixel, and where in it.
    const fragments = rasterize(clip, triangles, { width: size, height: size })
    // 3. Red, green and blue at the corners, spread over the pixels.
    const picture = interpolate(
      tf.tensor2d([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
      fragments,
      triangles,
    )
    // 4. Smooth edges: without this step no gradient tells where the triangle ends.
    return antialias(picture, fragments, clip, topology)
  })
}

/** Moves the corners down the slope of the picture's difference to the target's. */
export function helloTriangle(iterations = 150): { loss: number; corners: number[] } {
  const place = (corners: number[][]) => tf.tidy(() => draw(tf.tensor2d(corners)))
  const start = [
    [-0.2, 0.5],
    [-0.4, -0.7],
    [0.5, -0.1],
  ]
  const target = place([
    [0.1, 0.7],
    [-0.6, -0.5],
    [0.8, -0.3],
  ])
  const corners = tf.tidy(() => tf.variable(tf.tensor2d(start)))
  const optimizer = tf.train.adam(0.02)
  let loss = Infinity
  for (let i = 0; i < iterations; i++) {
    const value = optimizer.minimize(
      () => tf.mean<tf.Scalar>(tf.square(tf.sub(draw(corners as tf.Tensor2D), target))),
      true,
    )
    loss = value!.dataSync()[0]
    value!.dispose()
  }
  const result = { loss, corners: Array.from(corners.dataSync()) }
  optimizer.dispose()
  tf.dispose([target, corners])
  return result
}

/** Prints the picture with characters, darker for brighter. */
function print(corners: number[]): void {
  const values = tf.tidy(() => tf.max(draw(tf.tensor2d(corners, [3, 2])), 3).dataSync())
  for (let y = 0; y < size; y += 2) {
    console.log(
      Array.from({ length: size }, (_, x) => ' .:+#@'[Math.floor(values[y * size + x] * 5.99)]).join(''),
    )
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await tf.setBackend('wasm')
  const { loss, corners } = helloTriangle()
  print(corners)
  console.log(`loss ${loss.toExponential(1)}, corners ${corners.map((x) => x.toFixed(3)).join(' ')}`)
}
