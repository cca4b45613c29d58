import { ValueError } from '@facekit/core'

/** Where MPI and job schedulers say which of how many processes this is. */
const VARIABLES = [
  ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'],
  ['PMI_RANK', 'PMI_SIZE'],
  ['MV2_COMM_WORLD_RANK', 'MV2_COMM_WORLD_SIZE'],
  ['PMIX_RANK', 'PMIX_SIZE'],
  ['SLURM_PROCID', 'SLURM_NTASKS'],
] as const

/** Which share of the work this process has: as said by options, else by `mpiexec` or `srun`, else all of it.
 *
 * @throws {ValueError} when only one of the two numbers is given, or the rank is not below the number of ranks
 */
export function shareOf(
  { rank, ranks }: { rank?: number; ranks?: number },
  env: Readonly<Record<string, string | undefined>>,
): { rank: number; ranks: number } {
  if ((rank === undefined) !== (ranks === undefined)) {
    throw new ValueError('--rank and --ranks: one is missing, expected both; ranks count from 0')
  }
  const [own, all] = VARIABLES.find(([, size]) => Number(env[size]) > 1) ?? []
  const share =
    rank !== undefined
      ? { rank, ranks: ranks! }
      : own
        ? { rank: Number(env[own]), ranks: Number(env[all!]) }
        : { rank: 0, ranks: 1 }
  if (!(Number.isInteger(share.rank) && share.rank >= 0 && share.rank < share.ranks)) {
    throw new ValueError(
      `--rank is ${share.rank} of ${share.ranks}, expected a whole number from 0 to ${share.ranks - 1}`,
    )
  }
  return share
}
