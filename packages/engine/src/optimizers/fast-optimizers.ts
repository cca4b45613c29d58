import {
  AdamOptimizer,
  engine,
  MomentumOptimizer,
  SGDOptimizer,
  Optimizer,
  tidy,
  zerosLike,
  type NamedTensorMap,
} from '@tensorflow/tfjs-core'
import { kernelPlace } from '../backends/own-kernels.js'
import { gpuUpdater } from './gpu-updater.js'
import { hostUpdater } from './host-updater.js'
import {
  disposeSettings,
  fusedUpdates,
  type OptimizerVariable,
  type VariableGradients,
  type VariableUpdate,
} from './optimizer-state.js'
import { scaledGradients } from './scaled-gradients.js'
import type { Adam, Sgd, Updater } from './stock-optimizers.js'

type Apply = (gradients: NamedTensorMap) => void

let complete = false

/** Makes `tf.train.adam`, `sgd` and `momentum` update all variables in a few GPU dispatches, or in one loop each on the CPU, in place where
 * nobody else holds their data. State, names and serialisation stay. Does nothing the second time. */
export function completeOptimizers(): void {
  if (complete) return
  complete = true
  // `minimize` asks for it.
  Optimizer.prototype.computeGradients = (loss, variables) => scaledGradients(loss, variables)
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
    if (!apply(this as object as O, gradients)) stock.call(this, gradients as NamedTensorMap)
  }
  const dispose = Object.getOwnPropertyDescriptor(prototype, 'dispose')!.value as () => void
  prototype.dispose = function () {
    disposeSettings(this)
    dispose.call(this)
  }
}

/** How the current backend does it. */
const updater = (): Updater => (kernelPlace() === 'gpu' ? gpuUpdater : hostUpdater)

function applyAdam(optimizer: Adam, gradients: VariableGradients): boolean {
  const updates = fusedUpdates(gradients)
  if (!updates) return false
  const { accumulatedFirstMoment, accumulatedSecondMoment, weightDecay = 0, decays } = optimizer
  keepState(accumulatedFirstMoment, gradients, 'm')
  keepState(accumulatedSecondMoment, gradients, 'v')
  const state = ({ position }: VariableUpdate) => [
    accumulatedFirstMoment[position].variable,
    accumulatedSecondMoment[position].variable,
  ]
  const decay = ({ variable }: VariableUpdate) => (decays?.(variable) === false ? 0 : weightDecay)
  updater().adam(optimizer, updates, state, decay)
  optimizer.incrementIterations()
  return true
}

function applySgd(optimizer: Sgd, gradients: VariableGradients): boolean {
  const updates = fusedUpdates(gradients)
  if (!updates) return false
  const { accumulations } = optimizer
  if (accumulations) keepState(accumulations, gradients, 'momentum')
  updater().sgd(optimizer, updates, ({ position }) =>
    accumulations ? [accumulations[position].variable] : [],
  )
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
