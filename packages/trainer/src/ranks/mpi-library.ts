import { FacekitError, ValueError } from '@facekit/core'
import { ballotOf, isUnanimous } from './agreement.js'
import { importKoffi } from './import-koffi.js'
import type { MpiFamily } from './process-rank.js'

/** Numbers that are added up. */
export type Addends = Float32Array | Float64Array

/** MPI reads the bytes of a buffer as what it is told they are: another kind of array would be added up as garbage.
 *
 * @throws {ValueError} for anything but the two kinds
 */
export function assertAddends(values: unknown): asserts values is Addends {
  if (values instanceof Float32Array || values instanceof Float64Array) return
  const kind = (values as object | undefined)?.constructor?.name ?? typeof values
  throw new ValueError(
    `allReduce: the numbers are a ${kind}, expected a Float32Array or Float64Array; copy them into one`,
  )
}

/** The few functions of MPI that are used, all for the world of this run. */
export interface MpiLibrary {
  /** File or name that was loaded. */
  readonly name: string
  readonly rank: number
  readonly size: number
  allReduceSync(values: Addends): void
  /** Works on another thread, where the library allows it. */
  allReduce(values: Addends): Promise<void>
  /** The same; does not check that parts are equally long. */
  allGather(part: Uint8Array, all: Uint8Array): Promise<void>
  abort(code: number): void
  finalize(): void
}

/** Names that are tried, without a path: the system's loader finds them. */
const NAMES: Record<MpiFamily, Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  mpich: {
    linux: ['libmpich.so.12', 'libmpi.so.12', 'libmpich.so', 'libmpi.so'],
    darwin: [
      'libmpi.12.dylib',
      'libmpi.dylib',
      '/opt/homebrew/lib/libmpi.dylib',
      '/usr/local/lib/libmpi.dylib',
    ],
    win32: ['msmpi.dll', 'impi.dll'],
  },
  openmpi: {
    linux: ['libmpi.so.40', 'libmpi.so'],
    darwin: [
      'libmpi.40.dylib',
      'libmpi.dylib',
      '/opt/homebrew/lib/libmpi.dylib',
      '/usr/local/lib/libmpi.dylib',
    ],
  },
}

/** Handles of the MPICH interface (MPICH, Intel MPI, MVAPICH, Cray, Microsoft): whole numbers. */
const MPICH = {
  type: 'int',
  world: 0x44000000,
  float: 0x4c00040a,
  double: 0x4c00080b,
  byte: 0x4c00010d,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  inPlace: -1,
}

/** A library may be called by any thread, one at a time. */
const THREAD_SERIALIZED = 2

/** Most numbers of one call: MPI counts them with 31 bits. */
const MOST_NUMBERS = 2 ** 30

/** Loads an installed MPI library through `koffi` and starts MPI.
 *
 * @param family - whose launcher started the process
 * @param path - file or name of the library, in place of the usual ones
 * @param most - numbers that one call of the library gets; more are summed in several
 * @throws {FacekitError} when koffi or the library is missing, or MPI does not start
 */
export async function loadMpiLibrary(
  family: MpiFamily,
  path?: string,
  most = MOST_NUMBERS,
): Promise<MpiLibrary> {
  const koffi = await importKoffi('openMpi')
  keepUcxOut()
  const names = path === undefined ? (NAMES[family][process.platform] ?? []) : [path]
  const tried: string[] = []
  let found: { name: string; library: ReturnType<typeof koffi.load> } | undefined
  for (const name of names) {
    try {
      // Open MPI's own plug-ins look for its symbols.
      found = { name, library: koffi.load(name, { global: true }) }
      break
    } catch (error) {
      tried.push((error as Error).message.split('\n')[0])
    }
  }
  if (!found) {
    throw new FacekitError(
      `openMpi: no MPI library was found (${tried.join('; ') || process.platform}); install MPICH or Open MPI, or name its library in FACEKIT_MPI`,
    )
  }
  const { name, library } = found
  const handles = handlesOf(library)
  const { type } = handles
  const all = library.func('MPI_Allreduce', 'int', ['intptr_t', 'void *', 'int', type, type, type])
  const gather = library.func('MPI_Allgather', 'int', ['void *', 'int', type, 'void *', 'int', type, type])
  const initialize = library.func('MPI_Init_thread', 'int', ['void *', 'void *', 'int', 'void *'])
  const number = (f: string) => {
    const result = new Int32Array(1)
    check(f, library.func(f, 'int', [type, 'void *'])(handles.world, result))
    return result[0]
  }
  const errorString = library.func('MPI_Error_string', 'int', ['int', 'void *', 'void *'])
  function check(what: string, code: number): void {
    if (code === 0) return
    const text = Buffer.alloc(1024)
    const length = new Int32Array(1)
    errorString(code, text, length)
    throw new FacekitError(`${what} of ${name} failed: ${text.toString('utf8', 0, length[0]).trim()}`)
  }
  const level = new Int32Array(1)
  check('MPI_Init_thread', initialize(null, null, THREAD_SERIALIZED, level) as number)
  check(
    'MPI_Comm_set_errhandler',
    library.func('MPI_Comm_set_errhandler', 'int', [type, type])(
      handles.world,
      handles.errorsReturn,
    ) as number,
  )
  const argumentsFor = (values: Addends) => {
    const kind = values instanceof Float64Array ? handles.double : handles.float
    return [handles.inPlace, values, values.length, kind, handles.sum, handles.world] as const
  }
  const sum = (values: Addends) => check('MPI_Allreduce', all(...argumentsFor(values)) as number)
  const size = number('MPI_Comm_size')
  // MPI would write past the end of an array that is shorter in this process than in another one.
  const ballotFor = (values: Addends) => {
    assertAddends(values)
    const { length, BYTES_PER_ELEMENT: bytes } = values
    return ballotOf([Math.floor(length / 2 ** 32), length % 2 ** 32, bytes])
  }
  /** The parts of an array that one call takes each, if all processes add arrays of one kind and length. */
  const partsOf = (values: Addends, ballots: Float64Array): Addends[] => {
    const { length, BYTES_PER_ELEMENT: bytes } = values
    if (!isUnanimous(ballots, size)) {
      throw new ValueError(
        `allReduce: the processes add arrays of different lengths or kinds (this one: ${length} numbers of ${bytes} bytes); is it the same network in all of them?`,
      )
    }
    return Array.from({ length: Math.ceil(length / most) }, (_, i) =>
      values.subarray(i * most, (i + 1) * most),
    )
  }
  const allReduceSync = (values: Addends) => {
    const ballots = ballotFor(values)
    sum(ballots)
    for (const part of partsOf(values, ballots)) sum(part)
  }
  /** Calls a function on another thread, where the library allows it. */
  const aside = (what: string, f: typeof all, ...args: unknown[]) => {
    if (level[0] < THREAD_SERIALIZED) return check(what, f(...args) as number)
    return new Promise<void>((resolve, reject) => {
      f.async(...args, (error: Error | null, code: number) => {
        try {
          if (error) throw error
          check(what, code)
          resolve()
        } catch (problem) {
          reject(problem as Error)
        }
      })
    })
  }
  const sumAside = (values: Addends) => aside('MPI_Allreduce', all, ...argumentsFor(values))
  return {
    name,
    rank: number('MPI_Comm_rank'),
    size,
    allReduceSync,
    allReduce: async (values) => {
      const ballots = ballotFor(values)
      await sumAside(ballots)
      for (const part of partsOf(values, ballots)) await sumAside(part)
    },
    allGather: async (part, whole) => {
      const [{ length }, { byte, world, inPlace }] = [part, handles]
      const own = part.buffer === whole.buffer ? inPlace : part
      await aside('MPI_Allgather', gather, own, length, byte, whole, length, byte, world)
    },
    abort: (code) => void library.func('MPI_Abort', 'int', [type, 'int'])(handles.world, code),
    finalize: () => check('MPI_Finalize', library.func('MPI_Finalize', 'int', [])() as number),
  }
}

/** Settings of UCX, the transport below MPICH and Open MPI on most Linux systems; what the user has set stays.
 *
 * UCX 1.13 overwrites the code of libc's brk, sbrk, mmap, munmap and madvise in memory, for a cache that only network cards need. A process with threads
 * that allocate meanwhile, as Node is, then crashes now and then. It also catches SIGSEGV, by which V8 finds that WASM has left its memory.
 */
const UCX = {
  UCX_MEM_EVENTS: 'n',
  UCX_ERROR_SIGNALS: 'SIGILL,SIGBUS,SIGFPE',
  // Older and newer versions know only some of these.
  UCX_WARN_UNUSED_ENV_VARS: 'n',
}

function keepUcxOut(): void {
  for (const [name, value] of Object.entries(UCX)) process.env[name] ??= value
}

/** Handles are numbers in one family, addresses of exported variables in the other. */
function handlesOf(library: { symbol(name: string): unknown }) {
  try {
    return {
      type: 'void *',
      world: library.symbol('ompi_mpi_comm_world'),
      float: library.symbol('ompi_mpi_float'),
      double: library.symbol('ompi_mpi_double'),
      byte: library.symbol('ompi_mpi_byte'),
      sum: library.symbol('ompi_mpi_op_sum'),
      errorsReturn: library.symbol('ompi_mpi_errors_return'),
      inPlace: 1,
    }
  } catch {
    return MPICH
  }
}
