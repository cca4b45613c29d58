#!/usr/bin/env node
import { errorLine } from './error-line.js'
import { guardStreams } from './guard-streams.js'

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
const streams = guardStreams(process.stdout, process.stderr)
// What comes from outside of any call, such as a thread that cannot be started, is one line as well, and an end.
let failed = false
process.on('uncaughtException', (error: Error) => {
  endBy('ended by an error', error)
  process.exit(1)
})
// That a stream failed may be known only after the last write.
process.on('exit', () => {
  if (streams.failed() && !process.exitCode) process.exitCode = 1
})

try {
  // Loaded here, so that what goes wrong with it (too few file handles, a broken installation) is one line, too.
  const [{ runCli }, { removeTemporaryFolders }] = await Promise.all([
    import('./run.js'),
    import('./reconstruct/output-folders.js'),
  ])
  process.on('exit', removeTemporaryFolders)
  const result = await runCli(process.argv.slice(2), {
    stdout: streams.stdout,
    stderr: streams.stderr,
    env: process.env,
    signal: controller.signal,
  })
  failed = result !== 0
  // Backends may keep timers and threads alive.
  process.exitCode = controller.signal.aborted ? code : result
} catch (error) {
  // Its cause may come on its own, a moment later, and says more.
  await new Promise((resolve) => setTimeout(resolve, 100))
  endBy('cannot start', error)
  process.exitCode = 1
}

/** What follows from an error that was told is not told again. */
function endBy(how: string, error: unknown): void {
  if (failed) return
  failed = true
  streams.stderr.write(`facekit: ${how}: ${errorLine(error)}\n`)
  if (process.env.FACEKIT_DEBUG || process.argv.includes('--debug')) {
    streams.stderr.write(`${(error as Error)?.stack}\n`)
  }
}
