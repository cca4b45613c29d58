import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { learnCommand } from './model-learn.js'
import { wholeNumber } from '../number-option.js'
import { createProgress, type Progress } from '../progress.js'

const BACKENDS = ['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu']
const MODEL =
  'a name ("base"), a file (.safetensors, .h5, .mat, .npz, .pkl, .json), the folder of ICT-FaceKit, or one of meshes'

/** `facekit model`: a command for each thing to do with a face model. Another one is a function like those below, in this list. */
export function modelCommand(io: CliIo): Command {
  const group = new Command('model')
    .description('look at, import, convert, sample and learn face models')
    .helpCommand(false)
  for (const create of [
    infoCommand,
    importCommand,
    convertCommand,
    morphCommand,
    transferCommand,
    sampleCommand,
    modesCommand,
    learnCommand,
  ]) {
    group.addCommand(create(io))
  }
  return group.addHelpText('after', `\nA model is ${MODEL}.`)
}

/** Runs work with a progress bar, and prints its report: JSON, or lines. */
async function report<T>(
  io: CliIo,
  json: boolean | undefined,
  work: (progress: Progress) => Promise<T>,
  lines: (result: T) => string[],
): Promise<void> {
  const progress = await createProgress(io, json === true)
  try {
    const result = await work(progress)
    progress.stop()
    io.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${lines(result).join('\n')}\n`)
  } finally {
    progress.stop()
  }
}

const jsonOption = () => new Option('--json', 'print one JSON document instead of text')
const forceOption = () => new Option('--force', 'replace results that exist').default(false)
const backendOption = () => new Option('--backend <name>', 'what computes').choices(BACKENDS).default('auto')
const modesOption = (what: string) =>
  new Option(`--${what}-modes <number>`, `keep only the first <number> modes of ${what}`).argParser(
    wholeNumber(0, 10_000),
  )

function infoCommand(io: CliIo): Command {
  return new Command('info')
    .description('print what a model holds; of any HDF5 file, its tree')
    .argument('<model>', MODEL)
    .addOption(jsonOption())
    .action(async (model: string, { json }: { json?: boolean }) => {
      const { describeModel, infoLines } = await import('./model-info.js')
      await report(io, json, (progress) => describeModel(model, progress, io.signal), infoLines)
    })
}

function importCommand(io: CliIo): Command {
  return new Command('import')
    .description('read a model of another format and store it as .safetensors')
    .argument(
      '<source>',
      'an .h5, .mat, .npz, .pkl, .safetensors or .json file, the folder of ICT-FaceKit, or one of meshes',
    )
    .requiredOption('-o, --out <file>', 'the .safetensors file to write')
    .option('--albedo <file>', 'an albedo model (.h5) of the same mesh, for a Basel file')
    .option('--landmarks <file>', '68 vertices, as JSON or a number a line; default: found')
    .option(
      '--expressions <file>',
      'Exp_Pca.bin for a Basel file of 2009; std_exp.txt and BFM_exp_idx.mat beside it',
    )
    .addOption(
      new Option(
        '--crop <what>',
        'face: without ears and neck; default: face, and none for files of facekit',
      ).choices(['face', 'none']),
    )
    .addOption(
      new Option(
        '--split-at <number>',
        'identity modes in FLAME\'s one array "shapedirs"; default: found',
      ).argParser(wholeNumber(0, 10_000)),
    )
    .addOption(modesOption('identity'))
    .addOption(modesOption('expression'))
    .addOption(modesOption('albedo'))
    .addOption(
      new Option('--precision <type>', 'of the modes').choices(['float32', 'float16']).default('float32'),
    )
    .addOption(forceOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe format is told from the content. A model without albedo gets that of the base model; one without landmarks is\nregistered with it. Licences of models go with them: look at "facekit model info".',
    )
    .action(async (source: string, { json, ...options }: ImportFlags) => {
      const { importModel, storedLines } = await import('./model-import.js')
      await report(io, json, (progress) => importModel(source, options, progress, io.signal), storedLines)
    })
}

interface ImportFlags {
  out: string
  albedo?: string
  landmarks?: string
  expressions?: string
  crop?: 'face' | 'none'
  splitAt?: number
  identityModes?: number
  expressionModes?: number
  albedoModes?: number
  precision: 'float32' | 'float16'
  force: boolean
  json?: boolean
}

interface ConvertFlags {
  out: string
  identityModes: number
  precision: 'float32' | 'float16'
  force: boolean
  json?: boolean
}

function convertCommand(io: CliIo): Command {
  return new Command('convert')
    .description('store a model as .safetensors, as .glb with morph targets, or its mean as .obj with quads')
    .argument('<model>', MODEL)
    .requiredOption('-o, --out <file>', 'the file to write; its ending says what')
    .option(
      '--identity-modes <number>',
      'identity modes that become morph targets',
      wholeNumber(0, 10_000),
      20,
    )
    .addOption(
      new Option('--precision <type>', 'of the modes in .safetensors')
        .choices(['float32', 'float16'])
        .default('float32'),
    )
    .addOption(forceOption())
    .addOption(jsonOption())
    .action((model: string, flags: ConvertFlags) => convert(io, model, flags))
}

function morphCommand(io: CliIo): Command {
  return new Command('morph')
    .description('store a model as .glb: expressions and identity modes as morph targets')
    .argument('<model>', MODEL)
    .requiredOption('-o, --out <file.glb>', 'the file to write')
    .option(
      '--identity-modes <number>',
      'identity modes that become morph targets',
      wholeNumber(0, 10_000),
      20,
    )
    .addOption(forceOption())
    .addOption(jsonOption())
    .action((model: string, flags: ConvertFlags) =>
      convert(io, model, { ...flags, out: /\.glb$/i.test(flags.out) ? flags.out : `${flags.out}.glb` }),
    )
}

function transferCommand(io: CliIo): Command {
  return new Command('transfer')
    .description('refit the coefficients of a parameters.json to another model, through shape')
    .argument('<parameters>', 'a parameters.json of facekit reconstruct')
    .requiredOption('--to <model>', MODEL)
    .requiredOption('-o, --out <file>', 'the parameters.json to write')
    .option('--from <model>', 'the model of the file; default: the shipped one that it names')
    .addOption(forceOption())
    .addOption(jsonOption())
    .action(
      async (
        source: string,
        { json, ...options }: { to: string; out: string; from?: string; force: boolean; json?: boolean },
      ) => {
        const { transferLines, transferParameters } = await import('./model-transfer.js')
        await report(
          io,
          json,
          (progress) => transferParameters(source, options, progress, io.signal),
          transferLines,
        )
      },
    )
}

async function convert(io: CliIo, model: string, { json, ...options }: ConvertFlags): Promise<void> {
  const { convertModel, storedLines } = await import('./model-import.js')
  await report(io, json, (progress) => convertModel(model, options, progress, io.signal), storedLines)
}

interface SheetFlags {
  out: string
  size: number
  backend: string
  force: boolean
  json?: boolean
}

function sampleCommand(io: CliIo): Command {
  return new Command('sample')
    .description('render random faces of a model: a contact sheet as PNG, and each as GLB')
    .argument('<model>', MODEL)
    .requiredOption('-o, --out <folder>', 'folder to write')
    .option('--count <number>', 'faces', wholeNumber(1, 400), 12)
    .option('--seed <number>', 'which random faces', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--size <pixels>', 'width and height of a face on the contact sheet', wholeNumber(32, 1024), 192)
    .option('--no-glb', 'only the contact sheet')
    .addOption(backendOption())
    .addOption(forceOption())
    .addOption(jsonOption())
    .action(
      async (
        model: string,
        { json, ...options }: SheetFlags & { count: number; seed: number; glb: boolean },
      ) => {
        const { sampleModel, sheetLines } = await import('./model-sheets.js')
        await report(io, json, (progress) => sampleModel(model, options, progress, io.signal), sheetLines)
      },
    )
}

function modesCommand(io: CliIo): Command {
  return new Command('modes')
    .description('render each mode of a model at -2 and +2 deviations (or at the ends of its range)')
    .argument('<model>', MODEL)
    .requiredOption('-o, --out <folder>', 'folder to write')
    .option(
      '--count <number>',
      'modes of each kind; default: 10 of identity and albedo, all expressions',
      wholeNumber(1, 400),
    )
    .option('--size <pixels>', 'width and height of a face on the contact sheet', wholeNumber(32, 1024), 160)
    .addOption(backendOption())
    .addOption(forceOption())
    .addOption(jsonOption())
    .action(async (model: string, { json, ...options }: SheetFlags & { count?: number }) => {
      const { renderModes, sheetLines } = await import('./model-sheets.js')
      await report(io, json, (progress) => renderModes(model, options, progress, io.signal), sheetLines)
    })
}
