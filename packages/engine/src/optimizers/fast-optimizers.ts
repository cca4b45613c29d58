import {
  AdamOptimizer,
  engine,
  mul,
  MomentumOptimizer,
  SGDOptimizer,
  tidy,
  zerosLike,
  type NamedTensorMap,
  type Optimizer,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core'
import { adamArrays, adamRule, advanceAdam } from './adam-rule.js'
import { updateOnGpu, type UpdateRule } from '../webgpu/optimizer-update.js'
import { updateOnHost } from './host-optimizer-update.js'
import {
  disposeSettings,
  fusedUpdates,
  gpuSettings,
  makeSole,
  type OptimizerVariable,
  type VariableGradients,
  type VariableUpdate,
} from './optimizer-state.js'

/** Private fields of tfjs' Adam; those of AdamW are ours. */
interface Adam {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  accBeta1: Variable
  accBeta2: Variable
  accumulatedFirstMoment: OptimizerVariable[]
  accumulatedSecondMoment: OptimizerVariable[]
  weightDecay?: number
  decays?: (variable: Variable) => boolean
  incrementIterations(): void
}

/** Private fields of tfjs' SGD and Momentum. */
interface Sgd {
  learningRate: number
  momentum?: number
  useNesterov?: boolean
  accumulations?: OptimizerVariable[]
  incrementIterations(): void
}

type Apply = (gradients: NamedTensorMap) => void

let complete = false

/** Makes `tf.train.adam`, `sgd` and `momentum` update all variables in a few GPU dispatches, or in one loop each on the CPU, in place where
 * nobody else holds their data. State, names and serialisation stay. Does nothing the second time. */
export function completeOptimizers(): void {
  if (complete) return
  complete = true
  patch(AdamOptimizer.prototype, applyAdam)
  patch(SGDOptimizer.prototype, applySgd)
  patch(MomentumOptimizer.prototype, applySgd)
}

/** Replaces `applyGradients`; what ours leaves alone goes to the stock one. */
function patch<O extends object>(
  prototype: Optimizer,
  apply: (optimizer: O, gradients: VariableGradients) => boolean,
): void {
  const stock = Object.getOwnPropertyDescriptor(prototype, 'applyGradients')!.value as Apply
  prototype.applyGradients = function (gradients: VariableGradients) {
    if (!apply(this as unknown as O, gradients)) stock.call(this, gradients as NamedTensorMap)
  }
  const dispose = Object.getOwnPropertyDescriptor(prototype, 'dispose')!.value as () => void
  prototype.dispose = function () {
    disposeSettings(this)
    dispose.call(this)
  }
}

function applyAdam(optimizer: Adam, gradients: VariableGradients): boolean {
  const updates = fusedUpdates(gradients)
  if (!updates) return false
  const { beta1, beta2, epsilon, accBeta1, accBeta2, weightDecay = 0, decays } = optimizer
  keepState(optimizer.accumulatedFirstMoment, gradients, 'm')
  keepState(optimizer.accumulatedSecondMoment, gradients, 'v')
  const state = ({ position }: VariableUpdate) => [
    optimizer.accumulatedFirstMoment[position].variable,
    optimizer.accumulatedSecondMoment[position].variable,
  ]
  const decay = ({ variable }: VariableUpdate) => (decays?.(variable) === false ? 0 : weightDecay)
  if (engine().backendName === 'webgpu') {
    const { backend } = engine()
    const settings = gpuSettings(optimizer)
    for (const power of [accBeta1, accBeta2]) makeSole(power)
    advanceAdam(backend, settings, [accBeta1, accBeta2], beta1, beta2)
    for (const rate of new Set(updates.map(decay))) {
      const constants = [beta1, beta2, 1 - beta1, 1 - beta2, epsilon, rate]
      runOnGpu(
        adamRule,
        settings,
        constants,
        updates.filter((update) => decay(update) === rate),
        state,
      )
    }
  } else {
    const { learningRate } = optimizer
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
  }
  optimizer.incrementIterations()
  return true
}

type Three = [Float32Array, Float32Array, Float32Array]

const powers = (first: Tensor, second: Tensor) => ({
  power1: first.dataSync()[0],
  power2: second.dataSync()[0],
})

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

function applySgd(optimizer: Sgd, gradients: VariableGradients): boolean {
  const updates = fusedUpdates(gradients)
  if (!updates) return false
  const { learningRate, momentum = 0, useNesterov = false, accumulations } = optimizer
  if (accumulations) keepState(accumulations, gradients, 'momentum')
  const state = ({ position }: VariableUpdate) => (accumulations ? [accumulations[position].variable] : [])
  if (engine().backendName === 'webgpu') {
    const constants = accumulations ? [momentum, Number(useNesterov)] : []
    const rule = accumulations ? momentumRule : sgdRule
    runOnGpu(rule, gpuSettings(optimizer), constants, updates, state)
  } else {
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
  }
  optimizer.incrementIterations()
  return true
}

/** Makes state where there is none yet, with the names of tfjs. */
function keepState(kept: OptimizerVariable[], gradients: VariableGradients, suffix: string): void {
  const names = Array.isArray(gradients) ? gradients.map(({ name }) => name) : Object.keys(gradients)
  for (const [position, name] of names.entries()) {
    kept[position] ??= {
      originalName: `${name}/${suffix}`,
      variable: tidy(() => zerosLike(engine().registeredVariables[name]).variable(false)),
    }
  }
}

function runOnGpu(
  rule: UpdateRule,
  settings: Parameters<typeof updateOnGpu>[2],
  constants: readonly number[],
  updates: readonly VariableUpdate[],
  state: (update: VariableUpdate) => Variable[],
): void {
  const prepared = updates.map((update) => {
    const variables = [update.variable, ...state(update)]
    for (const variable of variables) makeSole(variable)
    return { value: variables[0], gradient: update.gradient, state: variables.slice(1) }
  })
  updateOnGpu(engine().backend, rule, settings, constants, prepared)
}
