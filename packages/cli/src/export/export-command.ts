import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { withChanges } from '../edit/face-changes.js'
import { wholeNumber } from '../number-option.js'
import type { ExportOptions, ExportReport } from './export-parameters.js'
import type { MeshFormat } from './write-meshes.js'

type Flags = Omit<ExportOptions, 'formats' | 'changes'> &
  ExportOptions['changes'] & { json?: boolean } & Record<MeshFormat, boolean | undefined>

/** `facekit export` */
export function exportCommand(io: CliIo): Command {
  const command = new Command('export')
    .description('write the meshes of a parameters.json: GLB that can be driven, OBJ, PLY, USDZ')
    .argument('<parameters>', 'a parameters.json of facekit reconstruct, edited or not')
    .requiredOption('-o, --out <folder>', 'folder for the files')
    .option('--glb', 'face.glb: at rest, with the 52 blend shapes of ARKit')
    .option('--obj', 'face.obj and face-neutral.obj, with material and maps')
    .option('--ply', 'face.ply and face-neutral.ply')
    .option('--usdz', 'face.usdz, with the expression')
    .addOption(
      new Option(
        '--head <extent>',
        'the face alone, or the whole head: ears, neck and back, bald, teeth and tongue',
      )
        .choices(['face', 'full'])
        .default('face'),
    )
    .option('--model <name or file>', 'face model; default: the shipped one that the file names')
    .option(
      '--maps <folder>',
      'folder of face-diffuse.png and the other maps; default: that of the parameters, if they are there',
    )
    .option(
      '--size <pixels>',
      "width and height of maps of the model's colours, where there are none",
      wholeNumber(16, 4096),
      512,
    )
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--force', 'replace files that exist', false)
    .option('--json', 'print one JSON document instead of text')
  return withChanges(command)
    .addHelpText('after', '\nWithout --glb, --obj, --ply and --usdz all of them are written.')
    .action(
      async (
        source: string,
        { json, glb, obj, ply, usdz, neutral, set, yaw, pitch, roll, light, ...rest }: Flags,
      ) => {
        const { exportParameters } = await import('./export-parameters.js')
        const { meshFormats } = await import('./write-meshes.js')
        const asked = { glb, obj, ply, usdz }
        const chosen = meshFormats.filter((format) => asked[format])
        const formats = chosen.length > 0 ? chosen : meshFormats
        const changes = { neutral, set, yaw, pitch, roll, light }
        const report = await exportParameters(source, { ...rest, formats, changes }, io.signal)
        io.stdout.write(`${json ? JSON.stringify(report, null, 2) : describe(report)}\n`)
      },
    )
}

function describe({ folder, files, model }: ExportReport): string {
  return `${folder}: ${files.join(', ')}; model "${model}"`
}
