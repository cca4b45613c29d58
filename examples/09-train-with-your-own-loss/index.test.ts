import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { expect, it } from 'vitest'
import { trainWithYourOwnLoss } from './index.js'

it('09-train-with-your-own-loss: value: both take part, the one with a schedule from its iteration on', async () => {
  await initEngine({ backend: 'wasm' })
  const options = { iterations: 3, size: 32, batch: 2, width: 0.2, ownFrom: 2 }
  const history = await trainWithYourOwnLoss(await loadBaseModel(), options)
  expect(history.map((terms) => 'openness' in terms)).toEqual([false, false, true])
  expect(Object.keys(history[2])).toContain('steadyShape')
  expect(Object.values(history[2]).every(Number.isFinite)).toBe(true)
})
