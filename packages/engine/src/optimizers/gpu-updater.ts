import { engine } from '@tensorflow/tfjs-core'
import { updateOnGpu, type UpdateRule } from '../webgpu/optimizer-update.js'
import { adamRule, advanceAdam } from './adam-rule.js'
import { gpuSettings, makeSole, type VariableUpdate } from './optimizer-state.js'
import { gateOf } from './update-gate.js'
import type { StateOf, Updater } from './stock-optimizers.js'

const sgdRule: UpdateRule = {
  name: 'sgd',
  state: [],
  constants: [],
  code: 'value -= settings[0] * gradient;',
}

const momentumRule: UpdateRule = {
  name: 'momentum',
  state: ['velocity'],
  constants: ['momentum', 'nesterov'],
  code: /* wgsl */ `
    velocity = uniforms.momentum * velocity + gradient;
    value -= settings[0] * select(velocity, gradient + uniforms.momentum * velocity, uniforms.nesterov > 0.0);`,
}

/** Changes all variables in a few dispatches, in place. */
export const gpuUpdater: Updater = {
  adam: (optimizer, updates, state, decay) => {
    const { beta1, beta2, epsilon, accBeta1, accBeta2 } = optimizer
    const settings = gpuSettings(optimizer)
    const gate = gateOf(updates.map(({ gradient }) => gradient))
    for (const power of [accBeta1, accBeta2]) makeSole(power)
    advanceAdam(engine().backend, settings, [accBeta1, accBeta2], beta1, beta2, gate)
    for (const rate of new Set(updates.map(decay))) {
      const constants = [beta1, beta2, 1 - beta1, 1 - beta2, epsilon, rate]
      const some = updates.filter((update) => decay(update) === rate)
      runOnGpu(adamRule, settings, constants, some, state, gate)
    }
  },
  sgd: (optimizer, updates, state) => {
    const { momentum = 0, useNesterov = false, accumulations } = optimizer
    const constants = accumulations ? [momentum, Number(useNesterov)] : []
    const rule = accumulations ? momentumRule : sgdRule
    runOnGpu(
      rule,
      gpuSettings(optimizer),
      constants,
      updates,
      state,
      gateOf(updates.map(({ gradient }) => gradient)),
    )
  },
}

function runOnGpu(
  rule: UpdateRule,
  settings: Parameters<typeof updateOnGpu>[2],
  constants: readonly number[],
  updates: readonly VariableUpdate[],
  state: StateOf,
  gate: Parameters<typeof updateOnGpu>[5],
): void {
  const prepared = updates.map((update) => {
    const variables = [update.variable, ...state(update)]
    for (const variable of variables) makeSole(variable)
    return { value: variables[0], gradient: update.gradient, state: variables.slice(1) }
  })
  updateOnGpu(engine().backend, rule, settings, constants, prepared, gate)
}
