import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const script = fileURLToPath(new URL('index.ts', import.meta.url))
// Open MPI wants to be told when it runs as root, and with more processes than cores.
const env = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
}
const installed = await run('mpiexec', ['--version'], { env }).then(
  () => true,
  () => false,
)

async function lossesOf(processes: number): Promise<number[]> {
  const node = [process.execPath, '--conditions=@facekit/source', '--import', 'tsx', script, '2', '32', '4']
  const [command, ...rest] = processes > 1 ? ['mpiexec', '-n', String(processes), ...node] : node
  const running = run(command, rest, { env, timeout: 300_000 })
  // MPICH's launcher (4.0.2) now and then loses output, or hangs, while its input is a pipe that nobody closes.
  running.child.stdin?.end()
  const { stdout } = await running
  const report = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{'))!) as {
    processes: number
    losses: number[]
  }
  expect(report.processes).toBe(processes)
  return report.losses
}

describe('10-train-on-many-machines', { timeout: 400_000 }, () => {
  it.skipIf(!installed)('value: two processes have the losses of one', async () => {
    const alone = await lossesOf(1)
    const together = await lossesOf(2)
    expect(together).toHaveLength(2)
    together.forEach((loss, i) => expect(loss / alone[i]).toBeCloseTo(1, 3))
  })
})
