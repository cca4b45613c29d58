import {
  datasetNames,
  evaluationMarkdown,
  type DatasetName,
  type EvaluationResults,
  isComplete,
  missingLines,
} from '@facekit/evaluation'
import type { BackendName } from '@facekit/engine'
import { ValueError } from '@facekit/core'
import { Command, Option } from 'commander'
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import type { CliIo } from '../cli-io.js'
import { BASE_MODEL } from '../load-model.js'
import { wholeNumber } from '../number-option.js'
import { REGRESSORS } from '../open-regressor.js'
import { createProgress } from '../progress.js'
import { evaluate, reportOf } from './evaluate.js'
import { type EvaluatedMethod, type EvaluateSettings, isOwn, ownMethods } from './evaluate-settings.js'

interface Flags {
  dataset: DatasetName
  method?: string[]
  out: string
  model: string
  backend: BackendName | 'auto'
  regressor?: string
  iterations?: number
  unit: keyof typeof UNITS
  landmarks?: string
  count?: number
  pictures?: number
  seed: number
  metric: boolean
  dropBeyond90: boolean
  workers?: number
  maps: number
  force: boolean
  json?: boolean
}

const UNITS = { mm: 1, cm: 10, m: 1000 }
/** Lines of what is missing that are printed; all are in the report. */
const MOST_LINES = 20

/** `facekit evaluate` */
export function evaluateCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('evaluate')
    .description('score reconstructions on a data set: tables, curves and error maps as in papers')
    .argument('<path>', 'folder of the data set')
    .addOption(new Option('--dataset <name>', 'its layout').choices([...datasetNames]).default('folder'))
    .option(
      '--method <name or folder>',
      `${ownMethods.slice(0, 4).join(', ')}, or a folder of OBJ or PLY meshes (also NAME=FOLDER); several (default: fit)`,
      (value: string, before: string[] = []) => [...before, value],
    )
    .option('-o, --out <folder>', 'folder for the results', 'evaluation')
    .option('--model <name or file>', 'face model', BASE_MODEL)
    .addOption(
      new Option('--backend <name>', 'backend that computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option(
      '--regressor <name or file>',
      'network for regress and refine: resnet50 (the default where its package is installed), resnet50-rendered, mobile, or weights of your own',
    )
    .option('--iterations <number>', 'steps of fit and refine', wholeNumber(0, 100_000))
    .addOption(
      new Option('--unit <name>', 'of the meshes in a folder').choices(Object.keys(UNITS)).default('mm'),
    )
    .option(
      '--landmarks <file>',
      'JSON: vertices of the 68 landmarks, of the 85 keypoints of REALY or of the seven of NoW, of the meshes in a folder',
    )
    .option(
      '--count <number>',
      'only so many faces, chosen at random (CelebA: default 2000)',
      wholeNumber(1, 1_000_000),
    )
    .option(
      '--pictures <number>',
      'most pictures of a face (MICC: default 15, FaceScape: 40)',
      wholeNumber(1, 100_000),
    )
    .option('--seed <number>', 'which faces --count chooses', wholeNumber(0, 2 ** 31), 0)
    .option('--metric', 'NoW: meshes are in mm and keep their size', false)
    .option('--drop-beyond-90', 'AFLW2000-3D: without the faces turned by more than 90 degrees', false)
    .option('--workers <number>', 'processes (default: one for each core)', wholeNumber(1, 1024))
    .option('--maps <number>', 'faces of which error maps and sheets are drawn', wholeNumber(0, 100_000), 3)
    .option('--force', 'discard the results that are there', false)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
The mean face is always in the table. If interrupted, rerun the command to resume; methods can be added later. Written are tables.md,
tables.csv, index.html, report.json, curves (SVG), maps (PNG, GLB), figures (PNG), and a file for each face. Exit code 1 when a method could not score
a face: the others are scored, and the report says what is missing.`,
    )
    .action(async (path: string, flags: Flags) => {
      const settings = settingsOf(path, flags)
      const progress = await createProgress(io, flags.json === true)
      let started = false
      try {
        const evaluation = await evaluate(settings, {
          workers: flags.workers ?? defaultWorkers(flags.backend),
          force: flags.force,
          signal: io.signal,
          onProgress: (done, total) => {
            if (!started) progress.start(`${path}: scoring ${total} faces, ${done} are done`)
            started = true
            progress.update(done, total)
          },
        })
        progress.stop()
        print(evaluation, settings, flags, io)
        setCode(isComplete(evaluation) ? 0 : 1)
      } catch (error) {
        progress.stop()
        if (io.signal.aborted && started)
          io.stderr.write('facekit: what was scored is kept; the same command goes on\n')
        throw error
      } finally {
        progress.stop()
      }
    })
}

function settingsOf(path: string, flags: Flags): EvaluateSettings {
  const { dataset, model, backend, regressor, iterations, landmarks, count, pictures, seed, maps } = flags
  const methods = (flags.method ?? ['fit']).map(methodOf)
  methods.push({ name: 'mean face' })
  const names = methods.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) < i && name !== 'mean face')
  if (twice !== undefined)
    throw new ValueError(`--method: "${twice}" is named twice; give folders names: NAME=FOLDER`)
  return {
    dataset,
    root: resolve(path),
    datasetOptions: {
      seed,
      metric: flags.metric,
      dropBeyond90: flags.dropBeyond90,
      ...(count !== undefined && { count }),
      ...(pictures !== undefined && { picturesPerCase: pictures }),
    },
    model,
    backend,
    ...(regressor !== undefined && {
      regressor: REGRESSORS.some((name) => name === regressor) ? regressor : resolve(regressor),
    }),
    ...(iterations !== undefined && { iterations }),
    methods: methods.filter(({ name }, i) => names.indexOf(name) === i),
    millimetres: UNITS[flags.unit],
    ...(landmarks !== undefined && { landmarks: resolve(landmarks) }),
    out: resolve(flags.out),
    maps,
  }
}

function methodOf(value: string): EvaluatedMethod {
  if (isOwn(value)) return { name: value }
  const [, name, folder] = /^([^=/\\]+)=(.+)$/.exec(value) ?? []
  if (folder === undefined) return { name: basename(resolve(value)), folder: resolve(value) }
  if (isOwn(name)) throw new ValueError(`--method: "${name}" is a method; give the folder another name`)
  return { name, folder: resolve(folder) }
}

/** A GPU is one, and a TensorFlow has threads of its own. */
const defaultWorkers = (backend: string): number =>
  backend === 'webgpu' || backend === 'tensorflow' ? 1 : Math.max(1, availableParallelism())

function print(evaluation: EvaluationResults, { out }: EvaluateSettings, { json }: Flags, io: CliIo): void {
  if (json) {
    const document = { ...reportOf(evaluation), missing: missingLines(evaluation) }
    io.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    return
  }
  const missing = missingLines(evaluation)
  for (const line of missing.slice(0, MOST_LINES)) io.stderr.write(`facekit: ${line}\n`)
  if (missing.length > MOST_LINES)
    io.stderr.write(`facekit: and ${missing.length - MOST_LINES} more lines in ${out}/tables.md\n`)
  io.stdout.write(
    evaluationMarkdown({
      ...evaluation,
      problems: [],
      results: evaluation.results.map((result) => ({ ...result, problems: [] })),
    }),
  )
  io.stdout.write(`${out}/index.html\n`)
}
