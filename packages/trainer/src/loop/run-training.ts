import { assertInRange, assertInteger, CheckpointError } from '@facekit/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { Training } from './training.js'
import type { TrainingOptions, TrainingResult } from './training-options.js'

/** Trains a network, or any variables: loss, gradients, update, again and again; with checkpoints from which it goes on exactly, a log,
 * evaluations, and an end that is always in order.
 *
 * Each iteration is a recorded step (`recordStep` of @facekit/kernels): on WebGPU it is issued without tfjs from the third call on. Losses are read
 * while the next iterations compute. In the folder: `checkpoint-<iteration>.safetensors` (variables, optimiser, batches: whole or not
 * there), `latest`, `log.jsonl`, TensorBoard events, panels. A run that was killed goes on with `resume`: on the WASM and CPU backends to
 * the bit as if nothing had happened, if the batches' state says all about them.
 *
 * @returns how it ended
 * @memory leaves no tensors behind; the caller keeps the model and the batches' source
 * @throws {DivergenceError} when the loss becomes NaN or explodes; names iteration, term and last good checkpoint, whose variables the
 *   model then has
 * @throws {CheckpointError} when there is nothing to resume from, it does not fit, or the folder was removed meanwhile
 * @throws {LockError} when another training runs in the folder
 * @throws {ValueError} for options that make no sense
 * @example
 * const result = await runTraining({
 *   model,
 *   loss: (_, x, y) => ({ total: tf.losses.meanSquaredError(y, model.apply(x, { training: true })) }),
 *   batches: seededBatches(1, drawBatch),
 *   iterations: 2000,
 *   learningRate: cosineSchedule(1e-3, 2000),
 *   folder: 'runs/first',
 *   resume: 'auto',
 * })
 */
export async function runTraining<Batch extends Tensor[]>(
  options: TrainingOptions<Batch>,
): Promise<TrainingResult> {
  checkOptions(options as unknown as TrainingOptions)
  const training = await Training.start(options)
  try {
    return await training.run()
  } finally {
    await training.dispose()
  }
}

function checkOptions(options: TrainingOptions): void {
  assertInteger('runTraining: iterations', options.iterations, 0)
  for (const name of ['accumulate', 'checkpointEvery', 'keepCheckpoints', 'logEvery'] as const) {
    const value = options[name]
    if (value !== undefined) assertInteger(`runTraining: ${name}`, value, 1)
  }
  for (const name of ['evaluate', 'panel'] as const) {
    const part = options[name]
    if (part) assertInteger(`runTraining: ${name}.every`, part.every, 1)
  }
  if (options.clipNorm !== undefined)
    assertInRange('runTraining: clipNorm', options.clipNorm, Number.MIN_VALUE, Infinity)
  if (options.seconds !== undefined) assertInRange('runTraining: seconds', options.seconds, 0, Infinity)
  if ((options.resume === true || options.panel) && options.folder === undefined) {
    throw new CheckpointError(
      'runTraining: no folder was given; resume: true and panels need one, resume may also be the path of a checkpoint',
    )
  }
}
