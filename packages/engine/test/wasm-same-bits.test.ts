import { setFlagsFromString } from 'node:v8'
import * as tf from '@tensorflow/tfjs-core'
import { initEngine } from '@facekit/engine'
import { expect, it } from 'vitest'

// Node 20 has it, but behind a flag.
setFlagsFromString('--experimental-wasm-relaxed-simd')

it('value: with relaxedSimd false products are rounded before they are added, as everywhere', async () => {
  const info = await initEngine({ backend: 'wasm', relaxedSimd: false })
  expect(info.relaxedSimd).toBe(false)
  const a = 1 + 2 ** -12
  const x = tf.tensor4d([-1, a], [1, 1, 1, 2])
  const filter = tf.tensor4d(
    Array.from({ length: 16 }, (_, i) => (i < 8 ? 1 : a)),
    [1, 1, 2, 8],
  )
  // -1 + a * a
  const [sum] = await tf.conv2d(x, filter, 1, 'same').data()
  expect(sum).toBe(2 ** -11)
  tf.dispose([x, filter])
})
