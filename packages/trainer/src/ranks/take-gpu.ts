import { FacekitError } from '@facekit/core'
import { importKoffi } from './import-koffi.js'
import { localRank, type ProcessRank } from './process-rank.js'

/* Contributor notes
 *
 * WebGPU in Node always gives the first GPU of the system; no environment variable changes that (powerPreference, CUDA_VISIBLE_DEVICES, NVIDIA_VISIBLE_DEVICES and
 * MESA_VK_DEVICE_SELECT were tried on two GPUs of NVIDIA). A driver that cannot open the device files of the others finds one GPU only. So the main thread
 * gets a mount namespace of its own, in which they are /dev/null: threads that the driver starts later inherit it.
 */

/** The GPU of a process. */
export interface RankGpu {
  /** Its device file. */
  device: string
  /** Its place on the bus, as `lspci` and `nvidia-smi` say it, where the driver says it. */
  bus?: string
}

/** Options of `takeGpu`. */
export interface TakeGpuOptions {
  /** Several processes may have the same GPU. Default false. */
  share?: boolean
  /** Place among the processes on this machine. Default: what the launcher says. */
  place?: ProcessRank
  /** Folder of the device files. Default `/dev`. */
  devices?: string
}

const [CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE] = [0x20000, 4096, 16384, 1 << 18]

/** Gives each process of a run on one machine a GPU of its own: that of its place among them. Call it before anything starts WebGPU.
 *
 * Linux, GPUs of NVIDIA; needs root, or the rights of it in a user namespace (`unshare --map-root-user --mount`), and the package `koffi`. The others' device files are
 * hidden from this process alone.
 *
 * @returns nothing for a process that was started alone, and where there are no such GPUs
 * @throws {FacekitError} when two processes would have one GPU, or the others cannot be hidden: says what to do instead
 * @example
 * const gpu = await takeGpu()
 * await initEngine({ backend: 'webgpu' })
 */
export async function takeGpu(options: TakeGpuOptions = {}): Promise<RankGpu | undefined> {
  const { share = false, place = localRank(), devices = '/dev' } = options
  if (!place || process.platform !== 'linux') return undefined
  const files = await gpuFiles(devices)
  if (files.length === 0) return undefined
  if (place.size > files.length && !share) {
    throw new FacekitError(
      `takeGpu: ${place.size} processes on this machine, which has ${files.length} GPU${files.length === 1 ? '' : 's'}; start at most one for each GPU, or say that they share (--share-gpu)`,
    )
  }
  const mine = files[place.rank % files.length]
  const others = files.filter((file) => file !== mine)
  if (others.length > 0) await hide(others, mine)
  const bus = await busOf(mine)
  return { device: mine, ...(bus !== undefined && { bus }) }
}

/** Device files of GPUs, by their numbers. */
async function gpuFiles(folder: string): Promise<string[]> {
  const { readdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const names = await readdir(folder).catch(() => [])
  const numbers = names.flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  return numbers.toSorted((a, b) => a - b).map((number) => `${folder}/nvidia${number}`)
}

/** Puts nothing in the place of files, for this thread and those that it starts. */
async function hide(files: readonly string[], mine: string): Promise<void> {
  const koffi = await importKoffi('takeGpu')
  const libc = koffi.load('libc.so.6')
  const unshare = libc.func('int unshare(int flags)')
  const mount = libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)',
  )
  const check = (what: string, result: unknown) => {
    if (result === 0) return
    throw new FacekitError(
      `takeGpu: the GPUs other than ${mine} cannot be hidden from this process (${what}: ${reason(koffi.errno())}); run as root, start each process by "unshare --map-root-user --mount", or give each a container with one GPU`,
    )
  }
  check('unshare', unshare(CLONE_NEWNS))
  check('mount /', mount(null, '/', null, MS_REC | MS_PRIVATE, null))
  for (const file of files) check(`mount ${file}`, mount('/dev/null', file, null, MS_BIND, null))
}

const reason = (errno: number) => (errno === 1 ? 'not permitted' : `error ${errno} of the system`)

/** The place on the bus of a GPU of NVIDIA, by the number of its device file. */
async function busOf(file: string): Promise<string | undefined> {
  const { readdir, readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const folder = '/proc/driver/nvidia/gpus'
  const number = /\d+$/.exec(file)?.[0]
  for (const bus of await readdir(folder).catch(() => [])) {
    const text = await readFile(`${folder}/${bus}/information`, 'utf8').catch(() => '')
    if (/Device Minor:\s*(\d+)/.exec(text)?.[1] === number) return bus
  }
  return undefined
}
