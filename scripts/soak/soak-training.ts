import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initEngine } from '@facekit/engine'
import { renderedBatches, train } from '@facekit/trainer'
import {
  tinyModel,
  tinyPhotographs,
  tinyRegressor,
  tinyRenderings,
} from '../../packages/trainer/test/face-fixtures.js'
import type { Watch } from './watch.js'

/** Trains a small network on rendered faces with the paper's losses, with checkpoints, panels and a log. */
export async function soakTraining(count: number, watch: Watch): Promise<void> {
  await initEngine({ backend: 'wasm' })
  const model = tinyModel()
  const regressor = tinyRegressor(model)
  const folder = await mkdtemp(join(tmpdir(), 'facekit-soak-'))
  let seed = 10
  try {
    const { iterations } = await train({
      regressor,
      model,
      dataset: {
        next: async () => tinyPhotographs(model, 1, seed++),
        state: () => seed,
        restore: (state) => void (seed = state as number),
      },
      rendered: renderedBatches(tinyRenderings(model, 1)),
      iterations: count,
      learningRate: 1e-4,
      clipNorm: 1,
      folder,
      checkpointEvery: Math.max(1, Math.floor(count / 20)),
      heldOut: {
        batches: [tinyPhotographs(model, 2, 5)],
        every: Math.max(1, Math.floor(count / 10)),
        faces: 1,
      },
      onProgress: ({ loss }) => {
        if (!Number.isFinite(loss)) watch.fail(`the loss of step ${watch.done + 1} is ${loss}`)
        watch.step()
      },
    })
    if (iterations !== count) watch.fail(`ended at step ${iterations} of ${count}`)
  } finally {
    await rm(folder, { recursive: true })
  }
}
