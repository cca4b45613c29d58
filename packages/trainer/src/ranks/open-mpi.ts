import { FacekitError, ValueError } from '@facekit/core'
import { assertSameProgram } from './agreement.js'
import type { GradientReducer } from './gradient-reducer.js'
import { loadMpiLibrary } from './mpi-library.js'
import { processRank } from './process-rank.js'

/** Seconds that a process waits for the others. */
const PATIENCE = 600

/** Options of `openMpi`. */
export interface OpenMpiOptions {
  /** File or name of the MPI library. Default: `FACEKIT_MPI` in the environment, else the usual names. */
  library?: string
  /** Seconds to wait for other processes before they are given up. Default: `FACEKIT_MPI_TIMEOUT`, else 600. */
  timeout?: number
  /** What must be the same in all processes, such as the settings of the training. */
  settings?: string
  /** Which program the processes run. Default: versions of this package's protocol and of Node. */
  program?: string
  /** Most numbers in one call of the library. Default 2^30: MPI counts them with 31 bits. */
  most?: number
}

/** Changes when processes of different versions of this package would no longer fit together. */
const PROTOCOL = 'facekit 1'

/** Joins the other processes of a run that `mpiexec`, `mpirun` or `srun` has started, through an installed MPI library.
 *
 * Gradients are summed by `MPI_Allreduce`, all of them in one buffer, on another thread, so that signals are still handled. Warns when Open MPI has
 * bound the process to fewer cores than its share. Node only; needs
 * the package `koffi`. Libraries of the MPICH family (MPICH, Intel MPI, MVAPICH, Cray) and Open MPI are known.
 *
 * @returns nothing for a process that was started alone
 * @throws {FacekitError} when MPI does not start, or the processes run different programs or settings: in each of them
 * @example
 * const reducer = await openMpi()
 * await runTraining({ ..., reducer })
 * reducer?.close()
 */
export async function openMpi(options: OpenMpiOptions = {}): Promise<GradientReducer | undefined> {
  const place = processRank()
  if (!place) return undefined
  const {
    library = process.env.FACEKIT_MPI || undefined,
    timeout = timeoutOf(process.env.FACEKIT_MPI_TIMEOUT),
    settings = '',
    program = `${PROTOCOL}, Node ${process.versions.node.split('.')[0]}`,
    most,
  } = options
  if (place.rank === 0) await warnOfBinding(place.size)
  const mpi = await loadMpiLibrary(place.family, library, most)
  if (mpi.size !== place.size) {
    throw new FacekitError(
      `openMpi: ${mpi.name} sees ${mpi.size} processes, the launcher has started ${place.size}; use the library of that launcher (FACEKIT_MPI)`,
    )
  }
  assertSameProgram(program, settings, mpi.size, mpi.allReduceSync)
  let open = true
  const inTime = async (work: Promise<void>) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(lost(mpi.rank, mpi.size, timeout)), timeout * 1000)
    })
    try {
      await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    rank: mpi.rank,
    size: mpi.size,
    allReduceSync: (values) => mpi.allReduceSync(values),
    allReduce: (values) => inTime(mpi.allReduce(values)),
    allGather: (part, all) => inTime(mpi.allGather(part, all)),
    abort: (message) => {
      process.stderr.write(`facekit: process ${mpi.rank} of ${mpi.size}: ${message}; all processes end\n`)
      // The launcher passes on what processes print, and drops what has not reached it when it ends them.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FAREWELL)
      mpi.abort(1)
    },
    close: () => {
      if (open) mpi.finalize()
      open = false
    },
  }
}

/** Milliseconds between the last message and the end of all processes. */
const FAREWELL = 300

/** Open MPI binds each process to one core unless told otherwise, and the threads of the WASM backend share that core then. */
async function warnOfBinding(size: number): Promise<void> {
  if (process.env.OMPI_COMM_WORLD_SIZE === undefined) return
  const { availableParallelism, cpus } = await import(/* webpackIgnore: true */ 'node:os')
  const here = Number(process.env.OMPI_COMM_WORLD_LOCAL_SIZE ?? size)
  const [usable, fair] = [availableParallelism(), Math.floor(cpus().length / here)]
  if (usable >= fair) return
  console.warn(
    `openMpi: Open MPI has bound this process to ${usable} of ${cpus().length} cores, expected ${fair} for each of ${here} processes; pass --bind-to none to mpirun`,
  )
}

const lost = (rank: number, size: number, seconds: number) =>
  new FacekitError(
    `process ${rank} of ${size} has waited ${seconds} s for the others; one of them has died or hangs: start the run again from its last checkpoint`,
  )

function timeoutOf(text: string | undefined): number {
  const seconds = text ? Number(text) : PATIENCE
  if (!(seconds > 0))
    throw new ValueError(`openMpi: FACEKIT_MPI_TIMEOUT is ${text}, expected seconds above 0`)
  return seconds
}
