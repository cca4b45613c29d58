import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CliResult } from './run-in-process.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Starts the command as users do, from source, in a process of its own.
 *
 * @param watch - called for each piece of text on stderr
 */
export function spawnCli(
  argv: readonly string[],
  watch: (text: string, child: ChildProcess) => void = () => {},
): Promise<CliResult> {
  const source = ['--conditions=@facekit/source', '--import', 'tsx', 'packages/cli/src/main.ts']
  const child = spawn(process.execPath, [...source, ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const result: CliResult = { code: -1, stdout: '', stderr: '' }
  child.stdout.on('data', (data: Buffer) => (result.stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => {
    result.stderr += data.toString()
    watch(data.toString(), child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...result, code: code ?? -1 }))
  })
}
