import { spawn } from 'node:child_process'

/** Runs a command; undefined if it went well, else the end of what it said. */
export function runQuietly(command, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data))
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) =>
      resolve(code === 0 ? undefined : text.trim().slice(-600) || `exit code ${code}`),
    )
  })
}
