import { mul, tidy, type Tensor } from '@tensorflow/tfjs-core'
import { adamArrays } from './adam-rule.js'
import { updateOnHost } from './host-optimizer-update.js'
import type { Updater } from './stock-optimizers.js'

type Three = [Float32Array, Float32Array, Float32Array]

const powers = (first: Tensor, second: Tensor) => ({
  power1: first.dataSync()[0],
  power2: second.dataSync()[0],
})

/** Changes each variable in a loop over typed arrays. */
export const hostUpdater: Updater = {
  adam: (optimizer, updates, state, decay) => {
    const { beta1, beta2, epsilon, learningRate, accBeta1, accBeta2 } = optimizer
    const constants = { beta1, beta2, epsilon, learningRate, ...powers(accBeta1, accBeta2) }
    for (const update of updates) {
      updateOnHost([update.variable, ...state(update)], update.gradient, (gradient, from, to) =>
        adamArrays(gradient, from as Three, to as Three, { ...constants, weightDecay: decay(update) }),
      )
    }
    tidy(() => {
      accBeta1.assign(mul(accBeta1, beta1))
      accBeta2.assign(mul(accBeta2, beta2))
    })
  },
  sgd: (optimizer, updates, state) => {
    const { learningRate, momentum = 0, useNesterov = false } = optimizer
    for (const update of updates) {
      updateOnHost(
        [update.variable, ...state(update)],
        update.gradient,
        (g, [value, old], [next, velocity]) => {
          for (let i = 0; i < g.length; i++) {
            let step = g[i]
            if (velocity) {
              velocity[i] = momentum * old[i] + g[i]
              step = useNesterov ? g[i] + momentum * velocity[i] : velocity[i]
            }
            next[i] = value[i] - learningRate * step
          }
        },
      )
    }
  },
}
