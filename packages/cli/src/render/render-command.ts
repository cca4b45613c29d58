import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { withChanges } from '../edit/face-changes.js'
import { wholeNumber } from '../number-option.js'
import type { RenderOptions, RenderReport } from './render-parameters.js'

type Flags = Omit<RenderOptions, 'changes'> & RenderOptions['changes'] & { json?: boolean }

/** `facekit render` */
export function renderCommand(io: CliIo): Command {
  const command = new Command('render')
    .description('make a picture or a mesh of a parameters.json')
    .argument('<parameters>', 'a parameters.json of facekit reconstruct, changed or not')
    .requiredOption('-o, --out <file>', 'file to write: .png, .glb, .obj or .ply')
    .option('--model <name or file>', 'face model; default: the shipped one that the file names')
    .option(
      '--size <pixels>',
      'width and height of the picture, or of the maps of a mesh',
      wholeNumber(16, 4096),
      512,
    )
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--force', 'replace a file that exists', false)
    .option('--json', 'print one JSON document instead of text')
  return withChanges(command)
    .addHelpText(
      'after',
      `
A picture shows the crop that the face was fitted in, lit as the file or --light says, over black. A mesh holds the expression
but not the pose.`,
    )
    .action(async (source: string, { json, neutral, set, yaw, pitch, roll, light, ...options }: Flags) => {
      const { renderParameters } = await import('./render-parameters.js')
      const changes = { neutral, set, yaw, pitch, roll, light }
      const report = await renderParameters(source, { ...options, changes }, io.signal)
      io.stdout.write(`${json ? JSON.stringify(report, null, 2) : describe(report)}\n`)
    })
}

function describe({ file, model, seconds }: RenderReport): string {
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0)
  return `${file}: model "${model}", ${total.toFixed(1)} s`
}
