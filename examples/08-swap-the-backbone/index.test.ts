import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { expect, it } from 'vitest'
import { mixerBackbone, swapTheBackbone } from './index.js'

it('08-swap-the-backbone: value: trains, and is the same after it was saved, loaded and folded', async () => {
  await initEngine({ backend: 'wasm' })
  const options = { iterations: 24, size: 32, batch: 4, backbone: mixerBackbone(16, 2) }
  const { losses, difference } = await swapTheBackbone(await loadBaseModel(), options)
  expect(losses).toHaveLength(24)
  // Each batch shows other faces: single losses say little.
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(losses.slice(12))).toBeLessThan(mean(losses.slice(0, 12)))
  expect(difference).toBeLessThan(1e-3)
})
