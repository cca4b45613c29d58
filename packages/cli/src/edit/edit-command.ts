import { Command } from 'commander'
import type { CliIo } from '../cli-io.js'
import { withChanges, type FaceChanges } from './face-changes.js'

/** `facekit edit` */
export function editCommand(io: CliIo): Command {
  const command = new Command('edit')
    .description('change the face of a parameters.json: expression, turn, light')
    .argument('<parameters>', 'a parameters.json of facekit reconstruct')
    .requiredOption('-o, --out <file>', 'file to write: another parameters.json')
    .option('--force', 'replace a file that exists', false)
    .option('--json', 'print one JSON document instead of text')
  return withChanges(command)
    .addHelpText(
      'after',
      `
  facekit edit me/parameters.json -o calm.json --neutral --light left
  facekit edit me/parameters.json -o smile.json --set mouthSmileLeft=0.6 --set mouthSmileRight=0.6

Numbers that are not changed stay as they are, digit by digit. What was measured in the photograph (landmarks, gaze, errors)
is left out once the face is another one.`,
    )
    .action(
      async (
        source: string,
        { out, force, json, ...changes }: FaceChanges & { out: string; force: boolean; json?: boolean },
      ) => {
        const { editParameters } = await import('./edit-parameters.js')
        const report = await editParameters(source, out, changes, force)
        const text = `${report.file}: ${report.changed.length > 0 ? `changed ${report.changed.join(', ')}` : 'nothing changed'}`
        io.stdout.write(`${json ? JSON.stringify(report, null, 2) : text}\n`)
      },
    )
}
