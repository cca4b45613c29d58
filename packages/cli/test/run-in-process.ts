import { runCli } from '@facekit/cli'

/** What a run of the command printed, and its exit code. */
export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

/** Runs the command in this process. */
export async function run(
  argv: readonly string[],
  options: { signal?: AbortSignal; isTTY?: boolean; env?: Record<string, string> } = {},
): Promise<CliResult> {
  const result: CliResult = { code: -1, stdout: '', stderr: '' }
  result.code = await runCli(argv, {
    stdout: { write: (text) => (result.stdout += text) },
    stderr: { write: (text) => (result.stderr += text), isTTY: options.isTTY },
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  })
  return result
}
