#!/usr/bin/env node
import { removeTemporaryFolders } from './reconstruct/output-folders.js'
import { runCli } from './run.js'

const controller = new AbortController()
const codes = { SIGINT: 130, SIGTERM: 143 } as const
let code: number | undefined
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // A second Ctrl-C does not wait for the current step to end.
    if (code !== undefined) process.exit(code)
    code = codes[name]
    controller.abort(new Error('interrupted'))
  })
}
process.on('exit', removeTemporaryFolders)
// A closed pipe, as `head` leaves it, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const result = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
})
// Backends may keep timers and threads alive.
process.exitCode = controller.signal.aborted ? code : result
