import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** How a command ended. */
export interface Ending {
  code: number | null
  signal: string | null
  stderr: string
  milliseconds: number
}

/** What Node runs: the sources, or, if `FACEKIT_PROGRAM` names a file, a build of them. */
const program = process.env.FACEKIT_PROGRAM
  ? [process.env.FACEKIT_PROGRAM]
  : ['--conditions=@facekit/source', '--import', 'tsx', 'packages/cli/src/main.ts']

/** Runs the command, from source if not told otherwise, in a process group of its own.
 *
 * @param disturb - called once it runs
 * @param node - more options of Node
 * @param launcher - what starts Node, with its options
 */
export function runCommand(
  argv: readonly string[],
  disturb: (child: ChildProcess) => void = () => {},
  node: readonly string[] = [],
  launcher: readonly string[] = [],
): Promise<Ending> {
  const started = performance.now()
  const [first, ...rest] = [...launcher, process.execPath, ...program.slice(0, -1), ...node]
  const child = spawn(first, [...rest, program.at(-1)!, ...argv], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data))
  disturb(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // Workers end with their parent, but not at once.
      killGroup(child, 'SIGKILL')
      resolve({ code, signal, stderr, milliseconds: performance.now() - started })
    })
  })
}

/** Sends a signal to a command and all that it started. */
export const killGroup = (child: ChildProcess, signal: NodeJS.Signals): void => send(-child.pid!, signal)

/** Ends a process at once. */
export const killOne = (pid: number): void => send(pid, 'SIGKILL')

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

/** Processes that a command started. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) === pid ? [Number(name)] : []
    } catch {
      return []
    }
  })
}
