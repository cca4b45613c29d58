import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { BASE_MODEL } from '../load-model.js'
import { wholeNumber } from '../number-option.js'
import { createProgress } from '../progress.js'
import type { FaceReport, ReconstructOptions, ReconstructReport } from './reconstruct.js'

/** A number of millimetres, or how to find it. */
function focalLength(text: string): ReconstructOptions['focal'] {
  if (text === 'auto' || text === 'estimate' || text === 'none') return text
  const value = Number(text)
  if (!(value >= 5 && value <= 2000))
    throw new InvalidArgumentError('Expected 5 to 2000 mm, auto, estimate or none.')
  return value
}

interface Flags extends Omit<ReconstructOptions, 'pictures'> {
  json?: boolean
  debug?: boolean
}

/** `facekit reconstruct` */
export function reconstructCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('reconstruct')
    .description('make a relightable 3D face from each face in photographs')
    .addArgument(
      new Argument(
        '<image...>',
        'photographs (JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF), folders of them, patterns',
      ),
    )
    .option('-o, --out <folder>', 'folder for the results', 'output')
    .addOption(
      new Option(
        '--method <name>',
        'fit: slow and accurate; regress: a network, fast; refine: regress, then a short fit',
      )
        .choices(['fit', 'regress', 'refine'])
        .default('fit'),
    )
    .option(
      '--regressor <name or file>',
      'network for regress and refine: resnet50 (a package of its own, the default where it is installed), resnet50-rendered (the same, without photographs), mobile (small), or weights of your own',
    )
    .option(
      '--model <name or file>',
      'face model: a name, or a file that "facekit model info" can read',
      BASE_MODEL,
    )
    .addOption(
      new Option('--backend <name>', 'backend that computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--segmenter <name>',
        'what finds the pixels of the face: a network, or the landmarks and colours',
      )
        .choices(['network', 'landmarks'])
        .default('network'),
    )
    .addOption(
      new Option(
        '--focal <mm>',
        '35 mm equivalent focal length; auto: from EXIF, where it is there; estimate: fitted; none: unknown',
      )
        .argParser(focalLength)
        .default('auto'),
    )
    .option('--face <number>', 'only this face of each photograph, from 1', wholeNumber(1, 10_000))
    .option('--same-person', 'all photographs show one person: one identity and texture from all of them')
    .option('--iterations <number>', 'steps of the fit', wholeNumber(0, 100_000))
    .option(
      '--texture <pixels>',
      'width and height of the maps made of the photograph: 256, 512, 1024, 2048, 4096, or none',
      textureSize,
      1024,
    )
    .option(
      '--size <pixels>',
      "width and height of the maps of the model's colours, for --texture none",
      wholeNumber(16, 4096),
      512,
    )
    .addOption(
      new Option(
        '--head <extent>',
        'meshes of the face alone, or of the whole head: ears, neck and back, bald, teeth and tongue',
      )
        .choices(['face', 'full'])
        .default('face'),
    )
    .option('--force', 'replace results that exist', false)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
For each face a folder <out>/<name of the photograph>/face-<number> is written: face.glb, face.obj with .mtl
and maps, face.ply, parameters.json, panels.png, and index.html to look at it. For a fit, face-uncertainty.png and
a property of face.ply tell how far each point may be off: white is 5 mm.`,
    )
    .action(async (pictures: string[], { json, debug, ...options }: Flags) => {
      const reconstruct = options.samePerson
        ? (await import('./reconstruct-person.js')).reconstructPerson
        : (await import('./reconstruct.js')).reconstruct
      const progress = await createProgress(io, json === true)
      const report = await reconstruct(
        { ...options, pictures },
        {
          progress,
          onFace: (picture, face) => {
            if (!json) io.stdout.write(`${faceLine(picture, face)}\n`)
          },
          onLeftOut: (picture, why) => void io.stderr.write(`facekit: ${picture}: ${why}\n`),
          onError: (line, error) => {
            io.stderr.write(`facekit: ${line}\n`)
            if (debug || io.env.FACEKIT_DEBUG) io.stderr.write(`${(error as Error)?.stack}\n`)
          },
        },
        io.signal,
      )
      if (json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
      setCode(summarize(report, io))
    })
}

function textureSize(value: string): number | 'none' {
  if (value === 'none') return value
  if (!['256', '512', '1024', '2048', '4096'].includes(value))
    throw new InvalidArgumentError('expected 256, 512, 1024, 2048, 4096 or none')
  return Number(value)
}

function faceLine(picture: string, { face, folder, metrics, seconds }: FaceReport): string {
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0)
  const errors = `landmark error ${(100 * metrics.landmarkError).toFixed(2)} %, colour error ${metrics.colorError.toFixed(3)}`
  return `${picture}: face ${face}: ${errors}, ${total.toFixed(1)} s: ${folder}`
}

/** The exit code; with several pictures, how many failed. */
function summarize({ pictures }: ReconstructReport, io: CliIo): number {
  const failed = pictures.filter(({ errors }) => errors.length > 0).length
  if (failed > 0 && pictures.length > 1) {
    io.stderr.write(`facekit: ${failed} of ${pictures.length} photographs had errors\n`)
  }
  return failed > 0 ? 1 : 0
}
