import type { LabelJournal } from './label-journal.js'
import type { LabelJob, LabelledPicture } from './label-picture.js'
import type { LabelPlan } from './label-plan.js'
import type { LabelPool } from './label-pool.js'

/** A picture that is to be labelled. */
export interface LabelTask {
  shard: number
  index: number
}

/** What is left to do; shards that were complete but for being written are written. */
export async function openTasks(journal: LabelJournal, share: readonly number[]): Promise<LabelTask[]> {
  const tasks: LabelTask[] = []
  for (const shard of share) {
    const missing = await journal.missing(shard)
    if (missing.length === 0) await journal.finish(shard)
    for (const index of missing) tasks.push({ shard, index })
  }
  return tasks
}

/** What `labelTasks` works with. */
export interface LabelWork {
  folder: string
  plan: LabelPlan
  journal: LabelJournal
  tasks: readonly LabelTask[]
  pool: LabelPool
  signal: AbortSignal | undefined
}

/** Labels all pictures that are left, and makes each shard final when its last picture is done.
 *
 * @throws the signal's reason, or what went wrong when something could not be kept; the pool is then closed
 */
export async function labelTasks(
  { folder, plan, journal, tasks, pool, signal }: LabelWork,
  onDone: (picture: string, labels: LabelledPicture) => void,
): Promise<void> {
  const left = new Map<number, number>()
  for (const { shard } of tasks) left.set(shard, (left.get(shard) ?? 0) + 1)
  let next = 0
  const stopped = new AbortController()
  const stop = (reason: unknown) => {
    stopped.abort(reason)
    pool.close()
  }
  const interrupt = () => stop(signal?.reason)
  signal?.addEventListener('abort', interrupt)
  if (signal?.aborted) interrupt()
  const pull = async () => {
    while (next < tasks.length && !stopped.signal.aborted) {
      const { shard, index } = tasks[next++]
      const picture = plan.shards[shard][index]
      const labels = await pool.label(jobFor(folder, plan, shard, index))
      // What a worker did not finish because it was ended is no bad picture.
      if (stopped.signal.aborted) return
      await journal.keep(shard, index, labels)
      onDone(picture, labels)
      left.set(shard, left.get(shard)! - 1)
      if (left.get(shard) === 0) await journal.finish(shard)
    }
  }
  await Promise.all(Array.from({ length: pool.size }, () => pull().catch(stop)))
  signal?.removeEventListener('abort', interrupt)
  stopped.signal.throwIfAborted()
}

function jobFor(folder: string, { settings, shards }: LabelPlan, shard: number, index: number): LabelJob {
  const picture = shards[shard][index]
  const slash = picture.indexOf('/')
  return {
    path: `${folder}/${picture}`,
    picture,
    ...(settings.identities && slash > 0 && { identity: picture.slice(0, slash) }),
    key: `${String(shard).padStart(6, '0')}-${String(index).padStart(6, '0')}`,
    quality: settings.quality,
    maxPixels: settings.maxPixels,
  }
}
