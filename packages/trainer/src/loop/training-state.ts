import { CheckpointError, type SafetensorsEntry } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import type { NamedVariable, TrainedVariables } from './trained-variables.js'
import type { TrainingOptimizer } from './training-optimizer.js'

/** Reads variables and the optimiser's state. */
export async function captureState(
  { all }: TrainedVariables,
  optimizer: TrainingOptimizer,
): Promise<Map<string, SafetensorsEntry>> {
  // Before the first step there is no state yet.
  optimizer.prepare()
  const entries = await Promise.all(
    named(all, optimizer).map(async ({ name, variable }): Promise<[string, SafetensorsEntry]> => {
      const values = await variable.data()
      // A copy: a backend may hand out what it goes on changing.
      return [name, { shape: variable.shape, data: (values as Float32Array | Int32Array).slice() }]
    }),
  )
  return new Map(entries)
}

/** Name of a variable that holds a value that is no number. */
export function findNotFinite(tensors: ReadonlyMap<string, SafetensorsEntry>): string | undefined {
  for (const [name, { data }] of tensors) {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return name
  }
  return undefined
}

/** Puts variables and the optimiser's state back. Changes nothing unless all of them fit.
 *
 * @throws {CheckpointError} that names what does not
 */
export function restoreState(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  { all }: TrainedVariables,
  optimizer: TrainingOptimizer,
  path: string,
): void {
  optimizer.prepare()
  const variables = named(all, optimizer)
  const fail = (what: string) =>
    new CheckpointError(`runTraining: checkpoint ${path}: ${what}; is it of the same network and optimizer?`)
  for (const { name, variable } of variables) {
    const entry = tensors.get(name)
    if (!entry) throw fail(`"${name}" is missing`)
    if (entry.shape.join() !== variable.shape.join())
      throw fail(`"${name}" is [${entry.shape.join(', ')}], expected [${variable.shape.join(', ')}]`)
  }
  if (tensors.size > variables.length) {
    const known = new Set(variables.map(({ name }) => name))
    throw fail(`"${[...tensors.keys()].find((name) => !known.has(name))}" is unknown`)
  }
  for (const { name, variable } of variables) {
    tf.tidy(() =>
      variable.assign(tf.tensor(tensors.get(name)!.data as Float32Array, variable.shape, variable.dtype)),
    )
  }
}

const named = (all: readonly NamedVariable[], optimizer: TrainingOptimizer): NamedVariable[] => [
  ...all.map(({ name, variable }) => ({ name: `model/${name}`, variable })),
  ...optimizer.state().map(({ name, variable }) => ({ name: `optimizer/${name}`, variable })),
]
