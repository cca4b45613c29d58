import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from '../cli-io.js'
import { wholeNumber } from '../number-option.js'
import { createProgress } from '../progress.js'
import type { TrainConfig } from './train-config.js'
import type { TrainReport } from './train-run.js'

interface Flags extends Partial<Omit<TrainConfig, 'learningRate' | 'lossModules'>> {
  out: string
  resume?: boolean
  learningRate?: number
  loss?: string[]
  json?: boolean
}

/** Exit code after Ctrl-C, by the custom of shells. */
const INTERRUPTED = 130
/** Milliseconds between lines for those who see no bar. */
const LINE_EVERY = 10_000

/** `facekit train` */
export function trainCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('train')
    .description('train a network that reads a face off a photograph')
    .addArgument(new Argument('[settings]', 'JSON file; flags win over what it says'))
    .option('-o, --out <folder>', 'folder for checkpoints, log, report and the trained network', 'training')
    .option(
      '--dataset <path>',
      'labelled photographs: what "facekit annotate" has written, or a module that gives them',
    )
    .option('--synthetic', 'rendered faces, whose parameters are known')
    .option('--model <name or file>', 'face model')
    .option('--backbone <name or module>', 'network: resnet50, resnet18, mobile, or a module that builds one')
    .option(
      '--loss <module>',
      'losses of your own; may be repeated',
      (path: string, paths: string[] = []) => [...paths, path],
    )
    .option('--weights <file>', 'start from a trained regressor')
    .option('--backbone-weights <file>', 'start from ImageNet: model.json of a ResNet')
    .option('--input-size <pixels>', 'width and height of the pictures', wholeNumber(32, 1024))
    .option('--batch <number>', 'pictures in a batch', wholeNumber(1, 65_536))
    .option('--iterations <number>', 'in all, those before a resumption included', wholeNumber(0, 1e9))
    .option('--learning-rate <number>', 'of Adam', positive)
    .option('--accumulate <number>', 'batches in an iteration', wholeNumber(1, 65_536))
    .option('--seconds <number>', 'stop after so long, with a checkpoint', positive)
    .option('--seed <number>', 'of all that is drawn', wholeNumber(0, 0x3fffffff))
    .addOption(
      new Option('--backend <name>', 'what computes').choices([
        'auto',
        'tensorflow',
        'webgpu',
        'wasm',
        'cpu',
      ]),
    )
    .addOption(
      new Option('--precision <name>', 'what the network computes in; mixed on GPUs that can').choices([
        'float32',
        'mixed',
      ]),
    )
    .option('--share-gpu', 'let several processes on one machine have the same GPU')
    .option('--resume', 'go on with the training in the folder, or begin it where there is none')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Without settings it is the paper's recipe: ResNet-50, Adam, 5e-5, batches of 32, 200,000 iterations. The folder gets checkpoints,
log.jsonl, TensorBoard events, panels, report.html, config.json and regressor.safetensors. Several processes train together:
mpiexec -n 4 facekit train ...`,
    )
    .action(async (settings: string | undefined, { json, out, resume = false, ...flags }: Flags) => {
      const { config, notes } = await configOf(settings, flags, out, resume)
      const { runTrain } = await import('./train-run.js')
      const progress = await createProgress(io, json === true)
      const lines = !json && !io.stderr.isTTY
      let lineAt = 0
      for (const note of notes) io.stderr.write(`facekit: ${note}\n`)
      let report: TrainReport | undefined
      try {
        progress.start(`training in ${out}`)
        report = await runTrain(
          config,
          out,
          resume ? 'auto' : false,
          io,
          ({ iteration, iterations, loss, speed, evaluation }) => {
            progress.update(iteration, iterations)
            const now = performance.now()
            if (!lines || (now - lineAt < LINE_EVERY && iteration < iterations)) return
            lineAt = now
            const held = evaluation?.landmarkError
            const rest = held === undefined ? '' : `, held out: landmark error ${(100 * held).toFixed(2)} %`
            io.stderr.write(
              `iteration ${iteration} of ${iterations}: loss ${loss.toPrecision(5)}, ${speed.toPrecision(3)} a second${rest}\n`,
            )
          },
        )
      } finally {
        progress.stop()
      }
      if (!report) return
      io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : summary(report))
      if (report.stoppedBy === 'signal') {
        io.stderr.write(`facekit: interrupted; facekit train --resume --out ${out} goes on\n`)
        setCode(INTERRUPTED)
      }
    })
}

/** Defaults, then what a training that is resumed had, then the file, then flags. Nothing is written. */
async function configOf(
  settings: string | undefined,
  { loss, ...flags }: Omit<Flags, 'out' | 'resume' | 'json'>,
  out: string,
  resume: boolean,
): Promise<{ config: TrainConfig; notes: string[] }> {
  const { checkResumedConfig, checkTrainData, defaultTrainConfig, readTrainConfig } =
    await import('./train-config.js')
  const stored = join(out, 'config.json')
  const there = await stat(stored).then(
    () => true,
    () => false,
  )
  const goesOn = resume && there
  const before = { ...defaultTrainConfig, ...(goesOn && (await readTrainConfig(stored))) }
  const file = settings === undefined ? {} : await readTrainConfig(settings)
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
  const named = { ...before, ...file }
  const config: TrainConfig = { ...named, ...given, ...(loss && { lossModules: loss }) }
  // The flag alone does not say how.
  if (flags.synthetic === true && typeof named.synthetic === 'object') config.synthetic = named.synthetic
  if (goesOn) checkResumedConfig(before, config, stored)
  checkTrainData(config, resume && !there ? ` (there is no training in ${out} to go on with)` : '')
  const notes = [
    ...(goesOn && settings === undefined ? [`settings are those of ${stored}`] : []),
    ...(resume && !there ? [`there is no training in ${out} yet; it begins`] : []),
  ]
  return { config, notes }
}

function summary(report: TrainReport): string {
  const { iterations, loss, seconds, waitShare, evaluation, folder, weights, processes, skipped } = report
  const held = evaluation
    ? `held out: landmark error ${(100 * evaluation.landmarkError).toFixed(2)} %, colour error ${evaluation.colorError.toFixed(3)}\n`
    : ''
  const share = processes > 1 ? `, ${processes} processes` : ''
  const left = skipped > 0 ? `${skipped} samples could not be read\n` : ''
  return `${iterations} iterations, ${Number.isNaN(loss) ? 'no new step' : `loss ${loss.toPrecision(5)}`}, ${seconds.toFixed(0)} s${share}, ${(100 * waitShare).toFixed(0)} % waiting for pictures
${held}${left}${weights ?? 'nothing was trained yet'}
${join(folder, 'report.html')}
`
}

function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('expected a number above 0')
  return value
}
