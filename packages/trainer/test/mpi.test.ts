import { execFile } from 'node:child_process'
import type Os from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listCheckpoints, openMpi, processRank, readLatestCheckpoint } from '@facekit/trainer'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { scratchFolder } from './training-fixtures.js'

const cores = vi.hoisted(() => ({ usable: 8 }))
vi.mock('node:os', async (original) => {
  const os = await original<typeof Os>()
  return { ...os, availableParallelism: () => cores.usable, cpus: () => Array.from({ length: 8 }) }
})

const run = promisify(execFile)
const script = fileURLToPath(new URL('mpi-process.ts', import.meta.url))
const node = [process.execPath, '--conditions=@facekit/source', '--import', 'tsx', script]
// What Open MPI wants to run as root, and with more processes than cores.
const env = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
}
const runs = (launcher: string) =>
  run(launcher, ['--version'], { env }).then(
    ({ stdout }) => stdout,
    () => undefined,
  )
const installed = await runs('mpiexec')
/** MPI waits by asking again and again: where other tests want the processor, too, a run of seconds takes minutes. */
const PATIENCE = { timeout: 400_000 }
/** Debian's name of the launcher of the family that `mpiexec` is not of. */
const otherFamily = /open\s?(mpi|rte)/i.test(installed ?? '') ? 'mpich' : 'openmpi'
const other = (await runs(`mpiexec.${otherFamily}`)) !== undefined

interface Report {
  losses: Record<string, number>
  mean: number[]
  stoppedBy: string
  size: number
}

/** Runs the script in so many processes. */
async function launch(
  processes: number,
  settings: object,
  extra: NodeJS.ProcessEnv = {},
  launcher = 'mpiexec',
) {
  const [command, ...rest] = [
    ...(processes > 1 ? [launcher, '-n', String(processes)] : []),
    ...node,
    JSON.stringify(settings),
  ]
  const running = run(command, rest, { env: { ...env, ...extra }, timeout: 300_000 })
  // MPICH's launcher (4.0.2) now and then loses output, or hangs, while its input is a pipe that nobody closes.
  running.child.stdin?.end()
  const { stdout, stderr, code } = await running.then(
    (output) => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  )
  const line = stdout.split('\n').find((text) => text.startsWith('{"losses"'))
  return { report: line === undefined ? undefined : (JSON.parse(line) as Report), stdout, stderr, code }
}

describe('processRank', () => {
  it('value: places by what launchers say', () => {
    expect(processRank({})).toBeUndefined()
    expect(processRank({ PMI_RANK: '1', PMI_SIZE: '4' })).toEqual({ rank: 1, size: 4, family: 'mpich' })
    expect(processRank({ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '2' })).toEqual({
      rank: 0,
      size: 2,
      family: 'openmpi',
    })
    expect(processRank({ SLURM_PROCID: '2', SLURM_NTASKS: '3' })).toMatchObject({ rank: 2, size: 3 })
    expect(processRank({ PMI_RANK: '4', PMI_SIZE: '4' })).toBeUndefined()
  })
})

describe('openMpi', () => {
  const names = ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_SIZE'] as const
  afterEach(() => {
    for (const name of names) delete process.env[name]
    vi.restoreAllMocks()
  })

  it.each([
    [1, /^openMpi: .* to 1 of 8 cores, expected 4 for each of 2 processes; pass --bind-to none/],
    [4, /^$/],
  ])('value: warns of a process that is bound to %i of 8 cores', async (usable, warning) => {
    cores.usable = usable
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    for (const [i, value] of ['0', '4', '2'].entries()) process.env[names[i]] = value
    await expect(openMpi({ library: '/nowhere/libmpi.so' })).rejects.toThrow(/no MPI library/)
    expect(warn.mock.calls.join()).toMatch(warning)
  })
})

// Both families stand beside each other in Debian; what is tested below of one is most of what there is.
describe.skipIf(!installed || !other)(`two processes of ${otherFamily}, the other family`, PATIENCE, () => {
  const launchOther = (settings: object) => launch(2, settings, {}, `mpiexec.${otherFamily}`)

  it('value: sums, and the losses of one process with all pictures', async () => {
    const alone = await launch(1, { iterations: 3 })
    const { report, stdout, stderr } = await launchOther({ iterations: 3 })
    if (!report) throw new Error(stderr + stdout)
    expect(report).toMatchObject({ size: 2, stoppedBy: 'iterations' })
    for (const [iteration, loss] of Object.entries(report.losses))
      expect(loss).toBeCloseTo(alone.report!.losses[iteration], 5)
    const parts = await launchOther({ iterations: 0, does: 'parts', most: 3 })
    expect(parts.stdout.match(/sums 0,2,4,6,8,10,12,14\n/g)).toHaveLength(2)
    expect(parts.stdout.match(/gathered 7,10,7,11\n/g)).toHaveLength(2)
  })

  it('throws: other numbers and other programs, in every process; a process that dies ends the run', async () => {
    const { stdout } = await launchOther({ iterations: 0, does: 'integers' })
    expect(stdout.match(/the numbers are a Int32Array, expected a Float32Array/g)).toHaveLength(4)
    const versions = await launchOther({ iterations: 0, does: 'parts', program: 'facekit 0' })
    expect(versions.stdout.match(/openMpi: the processes run different programs/g)).toHaveLength(2)
    const folder = scratchFolder()
    const { code } = await launchOther({ iterations: 8, folder, at: 4, does: 'kill' })
    expect(code).not.toBe(0)
    expect((await readLatestCheckpoint(folder))!.checkpoint.iteration).toBe(3)
  })
})

describe.skipIf(!installed)('two processes', PATIENCE, () => {
  let alone: Report
  beforeAll(async () => {
    const { report, stderr } = await launch(1, { iterations: 8 })
    if (!report) throw new Error(stderr)
    alone = report
  })

  it('value: have the losses of one with all pictures, and resume to them after an error in one', async () => {
    const folder = scratchFolder()
    const broken = await launch(2, { iterations: 8, folder, at: 5, does: 'throw' })
    expect(broken.code).not.toBe(0)
    expect(broken.stdout).toMatch(/is unavailable in process 1 of 2: the disk is on fire/)
    expect(broken.stdout).toMatch(/process 1 of 2: see its message; resume from .*checkpoint-000000005/)
    const { report, stderr, stdout } = await launch(2, { iterations: 8, folder, resume: true })
    if (!report) throw new Error(stderr + stdout)
    expect(report).toMatchObject({ size: 2, stoppedBy: 'iterations' })
    expect(Object.keys(report!.losses)).toEqual(['6', '7', '8'])
    for (const [iteration, loss] of Object.entries(report!.losses))
      expect(loss).toBeCloseTo(alone.losses[iteration], 5)
    report!.mean.forEach((value, i) => expect(value).toBeCloseTo(alone.mean[i], 5))
  })

  it('throws: sums of other numbers than floats; doubles keep their digits', async () => {
    const { stdout, code } = await launch(2, { iterations: 0, does: 'integers' })
    expect(code).toBe(0)
    const refused =
      'ValueError: allReduce: the numbers are a Int32Array, expected a Float32Array or Float64Array'
    expect(stdout.split(refused)).toHaveLength(5)
    expect(stdout.match(/sums 0\.2,1\n/g)).toHaveLength(2)
  })

  it('throws: arrays of different lengths, before MPI sees them', async () => {
    const { stdout, code } = await launch(2, { iterations: 0, does: 'lengths' })
    expect(code).toBe(0)
    expect(
      stdout.match(/ValueError: allReduce: the processes add arrays of different lengths/g),
    ).toHaveLength(4)
  })

  it('value: more numbers than one call takes are summed in several', async () => {
    const { stdout } = await launch(2, { iterations: 0, does: 'parts', most: 3 })
    expect(stdout.match(/sums 0,2,4,6,8,10,12,14\n/g)).toHaveLength(2)
    expect(stdout.match(/sums 1,1,1,1,1,1,1,1\n/g)).toHaveLength(2)
    expect(stdout.match(/gathered 7,10,7,11\n/g)).toHaveLength(2)
  })

  it('value: libc keeps its own code: UCX below MPI installs no memory hooks', async () => {
    const { stdout, stderr } = await launch(
      2,
      { iterations: 0, does: 'parts' },
      { UCX_MEM_LOG_LEVEL: 'debug' },
    )
    expect(stdout).toMatch(/sums/)
    expect(stdout + stderr).not.toMatch(/installing .* hook/)
  })

  it('throws: other programs or settings in one process, in every process', async () => {
    const versions = await launch(2, { iterations: 0, does: 'parts', program: 'facekit 0' })
    expect(versions.stdout.match(/openMpi: the processes run different programs/g)).toHaveLength(2)
    const settings = await launch(2, { iterations: 0, does: 'parts', settings: 'batch 3' })
    expect(settings.stdout.match(/openMpi: the processes have different settings/g)).toHaveLength(2)
  })

  it('value: both stop when one is told to', async () => {
    const folder = scratchFolder()
    const { report } = await launch(2, { iterations: 8, folder, at: 2, does: 'stop' })
    expect(report).toMatchObject({ stoppedBy: 'signal' })
    expect(Object.keys(report!.losses)).toEqual(['1', '2', '3'])
    expect((await readLatestCheckpoint(folder))!.checkpoint.iteration).toBe(3)
  })

  it.each([
    ['kill', /signal 9|SIGKILL|Killed/i],
    ['break', /process 1 of 2: a wheel came off/],
  ])('value: a process that dies (%s) ends the run; a checkpoint is left', async (does, message) => {
    const folder = scratchFolder()
    const { code, stderr, stdout } = await launch(2, { iterations: 8, folder, at: 4, does })
    expect(code).not.toBe(0)
    expect(stderr + stdout).toMatch(message)
    expect(await listCheckpoints(folder)).toHaveLength(1)
    expect((await readLatestCheckpoint(folder))!.checkpoint.iteration).toBe(3)
  })
})
