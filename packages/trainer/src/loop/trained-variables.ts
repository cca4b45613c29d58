import { ValueError } from '@facekit/core'
import { layersWeights } from '@facekit/engine'
import type { Variable } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainedModel } from './training-options.js'

/** A variable under a name that is the same in every process. */
export interface NamedVariable {
  name: string
  variable: Variable
}

/** Variables of what is trained. */
export interface TrainedVariables {
  /** All of them, as they are kept in checkpoints. */
  all: NamedVariable[]
  /** Those that the optimiser changes, in a fixed order. */
  trainable: NamedVariable[]
}

/** Finds the variables of what is trained.
 *
 * @throws {ValueError} when there is nothing to train
 */
export function trainedVariables(model: TrainedModel): TrainedVariables {
  const { all, trainable } = 'layers' in model ? ofLayers(model) : ofVariables(model.variables)
  if (trainable.length === 0) {
    throw new ValueError(
      'runTraining: the model has no trainable variables; build it first, and leave some layers trainable',
    )
  }
  return { all, trainable }
}

function ofLayers(model: LayersModel): TrainedVariables {
  const all = layersWeights(model).map(({ name, value }) => ({ name, variable: value as Variable }))
  // A layer that was frozen keeps trainable variables, which the model leaves out of this list.
  const names = new Set(model.trainableWeights.map(({ originalName }) => originalName))
  return { all, trainable: all.filter(({ name }) => names.has(name)) }
}

function ofVariables(variables: Readonly<Record<string, Variable>>): TrainedVariables {
  const all = Object.entries(variables).map(([name, variable]) => ({ name, variable }))
  return { all, trainable: all.filter(({ variable }) => variable.trainable) }
}
