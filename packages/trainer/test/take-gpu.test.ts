import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { localRank, takeGpu } from '@facekit/trainer'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from './training-fixtures.js'

const run = promisify(execFile)
const script = fileURLToPath(new URL('take-gpu-process.ts', import.meta.url))
const node = [process.execPath, '--conditions=@facekit/source', '--import', 'tsx', script]

/** Whether a command works here. */
const works = (command: string, ...rest: string[]) =>
  run(command, rest).then(
    () => true,
    () => false,
  )
const mayMount = process.platform === 'linux' && (await works('unshare', '--mount', 'true'))
const mayMapRoot =
  mayMount &&
  (await works('setpriv', '--reuid=65534', '--clear-groups', 'unshare', '--map-root-user', '--mount', 'true'))

const mpi = await works('mpiexec', '--version')

/** Stand-ins for the device files of two GPUs. */
function twoGpus(): string {
  const folder = scratchFolder()
  for (const i of [0, 1]) writeFileSync(`${folder}/nvidia${i}`, `GPU ${i}`)
  for (const other of ['nvidiactl', 'nvidia-uvm']) writeFileSync(`${folder}/${other}`, '')
  chmodSync(folder, 0o755)
  return folder
}

async function take(devices: string, rank: number, launcher: string[] = [], size = 2) {
  const [command, ...rest] = [...launcher, ...node, devices, String(rank), String(size)]
  const { stdout } = await run(command, rest)
  return JSON.parse(stdout) as { device?: string; message?: string; seen: string[] }
}

describe('localRank', () => {
  it('value: places on the machine by what launchers say, those among all else', () => {
    expect(localRank({})).toBeUndefined()
    const mpich = { PMI_RANK: '5', PMI_SIZE: '8', MPI_LOCALRANKID: '1', MPI_LOCALNRANKS: '4' }
    expect(localRank(mpich)).toEqual({ rank: 1, size: 4 })
    const open = { OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_SIZE: '8' }
    const local = { OMPI_COMM_WORLD_LOCAL_RANK: '0', OMPI_COMM_WORLD_LOCAL_SIZE: '2' }
    expect(localRank({ ...open, ...local })).toEqual({ rank: 0, size: 2 })
    expect(localRank(open)).toEqual({ rank: 5, size: 8 })
  })
})

describe('takeGpu', () => {
  it('value: nothing for a process alone, and where there are no GPUs', async () => {
    expect(await takeGpu({ devices: twoGpus() })).toBeUndefined()
    expect(await takeGpu({ devices: scratchFolder(), place: { rank: 0, size: 2 } })).toBeUndefined()
  })

  it('throws: for more processes than GPUs', async () => {
    await expect(takeGpu({ devices: twoGpus(), place: { rank: 0, size: 3 } })).rejects.toThrow(
      /^takeGpu: 3 processes on this machine, which has 2 GPUs; start at most one for each GPU, or say that they share/,
    )
  })

  it.skipIf(!mayMount)('value: each process sees its own GPU alone; outside all is as before', async () => {
    const devices = twoGpus()
    expect(await take(devices, 0)).toEqual({ device: `${devices}/nvidia0`, seen: ['GPU 0', ''] })
    expect(await take(devices, 1)).toEqual({ device: `${devices}/nvidia1`, seen: ['', 'GPU 1'] })
    expect(readFileSync(`${devices}/nvidia0`, 'utf8')).toBe('GPU 0')
  })

  it.skipIf(!mayMount || !mpi)('value: processes of a run each take their own, and then join', async () => {
    const devices = twoGpus()
    const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
    const running = run('mpiexec', ['-n', '2', ...node, devices], { env })
    running.child.stdin?.end()
    const { stdout } = await running
    for (const [i, seen] of [
      ['GPU 0', ''],
      ['', 'GPU 1'],
    ].entries())
      expect(stdout).toContain(JSON.stringify({ device: `${devices}/nvidia${i}`, seen, processes: 2 }))
  })

  it.skipIf(!mayMapRoot)('throws: without root, where a user namespace helps', async () => {
    const devices = twoGpus()
    const somebody = ['setpriv', '--reuid=65534', '--clear-groups']
    const { message, seen } = await take(devices, 1, somebody)
    expect(message).toMatch(
      /^takeGpu: the GPUs other than .*nvidia1 cannot be hidden .*unshare: not permitted.*--map-root-user/,
    )
    expect(seen).toEqual(['GPU 0', 'GPU 1'])
    const mapped = await take(devices, 1, [...somebody, 'unshare', '--map-root-user', '--mount'])
    expect(mapped).toEqual({ device: `${devices}/nvidia1`, seen: ['', 'GPU 1'] })
  })
})
