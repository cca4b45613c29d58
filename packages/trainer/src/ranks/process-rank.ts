/** Which of several processes this one is. */
export interface ProcessRank {
  /** From 0. */
  rank: number
  /** How many there are. */
  size: number
}

/** Variables by which launchers tell a process its place, and the MPI library that goes with them. */
const LAUNCHERS = [
  { rank: 'OMPI_COMM_WORLD_RANK', size: 'OMPI_COMM_WORLD_SIZE', library: 'openmpi' },
  // Hydra: MPICH, Intel MPI, MVAPICH; also of Cray and Microsoft.
  { rank: 'PMI_RANK', size: 'PMI_SIZE', library: 'mpich' },
  { rank: 'PMIX_RANK', size: 'SLURM_NTASKS', library: 'openmpi' },
  { rank: 'SLURM_PROCID', size: 'SLURM_NTASKS', library: 'mpich' },
] as const

/** Family of MPI libraries: those of one have the same binary interface. */
export type MpiFamily = (typeof LAUNCHERS)[number]['library']

/** This process's place among those that `mpiexec`, `mpirun` or `srun` started, from their environment; nothing needs MPI itself.
 *
 * @returns nothing for a process that was started alone
 * @example
 * const { rank, size } = processRank() ?? { rank: 0, size: 1 }
 * const mine = pictures.filter((_, i) => i % size === rank)
 */
export function processRank(
  env: Readonly<Record<string, string | undefined>> = process.env,
): (ProcessRank & { family: MpiFamily }) | undefined {
  for (const launcher of LAUNCHERS) {
    const [rank, size] = [wholeNumber(env[launcher.rank]), wholeNumber(env[launcher.size])]
    if (rank === undefined || size === undefined || rank >= size) continue
    return { rank, size, family: launcher.library }
  }
  return undefined
}

const wholeNumber = (text: string | undefined) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined

/** Variables by which launchers tell a process its place among those on its machine. */
const LOCAL = [
  { rank: 'OMPI_COMM_WORLD_LOCAL_RANK', size: 'OMPI_COMM_WORLD_LOCAL_SIZE' },
  { rank: 'MPI_LOCALRANKID', size: 'MPI_LOCALNRANKS' },
  { rank: 'SLURM_LOCALID', size: 'SLURM_NTASKS_PER_NODE' },
] as const

/** This process's place among those of the run on the same machine.
 *
 * @returns nothing for a process that was started alone; its place among all where the launcher does not say more
 */
export function localRank(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ProcessRank | undefined {
  const place = processRank(env)
  if (!place) return undefined
  for (const launcher of LOCAL) {
    const [rank, size] = [wholeNumber(env[launcher.rank]), wholeNumber(env[launcher.size])]
    if (rank !== undefined && size !== undefined && rank < size) return { rank, size }
  }
  return { rank: place.rank, size: place.size }
}
