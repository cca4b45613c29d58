import { Command, CommanderError } from 'commander'
import { ablateCommand } from './ablate/ablate-command.js'
import { annotateCommand } from './annotate/annotate-command.js'
import type { CliIo } from './cli-io.js'
import { datasetCommand } from './dataset/dataset-build-command.js'
import { doctorCommand } from './doctor-command.js'
import { editCommand } from './edit/edit-command.js'
import { errorLine } from './error-line.js'
import { evaluateCommand } from './evaluate/evaluate-command.js'
import { exportCommand } from './export/export-command.js'
import { modelCommand } from './model/model-command.js'
import { reconstructCommand } from './reconstruct/reconstruct-command.js'
import { renderCommand } from './render/render-command.js'
import { trackCommand } from './track/track-command.js'
import { trainCommand } from './train/train-command.js'
import { version } from './version.js'

/** Exit code after Ctrl-C, by the custom of shells. */
const INTERRUPTED = 130

/** Runs the command `facekit`.
 *
 * Results go to `io.stdout`, progress and errors (`facekit: ...`, one line each) to `io.stderr`. With `--debug`, or
 * FACEKIT_DEBUG in the environment, errors are followed by their stack.
 *
 * @param argv - arguments, without the interpreter and the script
 * @returns the exit code: 0; 1 after an error; 130 when `io.signal` was aborted
 * @example
 * const code = await runCli(['reconstruct', 'me.jpg'], { stdout, stderr, env: {}, signal })
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let code = 0
  const program = createProgram(io, (result) => {
    code = result
  })
  try {
    // Without a command, help is a result and no error.
    await program.parseAsync(argv.length > 0 ? [...argv] : ['--help'], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    if (io.signal.aborted) {
      io.stderr.write('facekit: interrupted\n')
      return INTERRUPTED
    }
    io.stderr.write(`facekit: ${errorLine(error)}\n`)
    if (isDebugging(argv, io)) io.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  }
}

/** Whether errors are to come with their stack. */
function isDebugging(argv: readonly string[], io: CliIo): boolean {
  return argv.includes('--debug') || Boolean(io.env.FACEKIT_DEBUG)
}

function createProgram(io: CliIo, setCode: (code: number) => void): Command {
  const program = new Command('facekit')
    .description('3D faces from photographs')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError(false)
  for (const command of [
    reconstructCommand(io, setCode),
    trackCommand(io),
    renderCommand(io),
    exportCommand(io),
    editCommand(io),
    annotateCommand(io, setCode),
    trainCommand(io, setCode),
    modelCommand(io),
    datasetCommand(io),
    evaluateCommand(io, setCode),
    ablateCommand(io, setCode),
    doctorCommand(io, setCode),
  ])
    program.addCommand(command)
  const all = program.commands.flatMap((command) => [command, ...command.commands])
  for (const command of [program, ...all]) {
    command
      .exitOverride()
      .helpOption('-h, --help', 'print this help')
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => void io.stderr.write(text),
        outputError: (text, write) =>
          write(
            `facekit: ${text
              .replace(/^error: /, '')
              .trim()
              .replace(/\s+/g, ' ')}\n`,
          ),
      })
  }
  for (const command of all) command.option('--debug', 'print the stack of errors')
  return program
}
