import { DatasetError } from '../dataset-error.js'

/** Paths that this process has locked. */
const held = new Set<string>()

/** How often, and how many milliseconds apart, a lock is looked at again while another process changes it. */
const [ATTEMPTS, PAUSE] = [40, 50]
/** So often an empty lock may be looked at before it counts as left behind. */
const EMPTY = 20

// A lock is a file that says who made it: host, process, and a random token that no later process repeats. It is linked to its name with its
// content, so that nobody sees it empty, and linking fails when the name is taken. One whose process is gone is removed under a second lock
// (`<path>.break`), after it was read again there: a process that read it earlier would otherwise remove its successor's.

/** Locks a share of the work for this process. Node only.
 *
 * @param path - of the lock file; a lock whose process is gone does not count
 * @returns releases the lock
 * @throws {DatasetError} when this process or another one holds it
 */
export async function lockShare(path: string): Promise<() => Promise<void>> {
  const { rm } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const { hostname } = await import(/* webpackIgnore: true */ 'node:os')
  const { resolve } = await import(/* webpackIgnore: true */ 'node:path')
  const { setTimeout: sleep } = await import(/* webpackIgnore: true */ 'node:timers/promises')
  const key = resolve(path)
  if (held.has(key)) throw new DatasetError(`${path}: this process labels this share already; wait for it`)
  held.add(key)
  try {
    const token = Math.random().toString(36).slice(2)
    const own = `${hostname()} ${process.pid} ${token}`
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await create(path, own)) {
        return async () => {
          await rm(path, { force: true })
          held.delete(key)
        }
      }
      const owner = await readOwner(path)
      // Released meanwhile.
      if (owner === undefined) continue
      // Without links it is written in two steps.
      const unfinished = owner === '' && attempt < EMPTY
      if (!unfinished) assertGone(path, owner, hostname())
      if (unfinished || !(await breakLock(path, owner, own))) await sleep(PAUSE)
    }
    throw new DatasetError(
      `${path}: cannot be locked, ${path}.break is in the way; delete it if no process labels this share`,
    )
  } catch (error) {
    held.delete(key)
    throw error
  }
}

/** Makes a file with its content at once, unless there is one. */
async function create(path: string, content: string): Promise<boolean> {
  const { link, rm, writeFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const temporary = `${path}.${content.split(' ')[2]}`
  await writeFile(temporary, content)
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
    // A file system without links.
    return writeFile(path, content, { flag: 'wx' }).then(
      () => true,
      (problem: NodeJS.ErrnoException) => {
        if (problem.code === 'EEXIST') return false
        throw problem
      },
    )
  } finally {
    await rm(temporary, { force: true })
  }
}

/** What a lock says; nothing when it is not there. */
async function readOwner(path: string): Promise<string | undefined> {
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** @throws {DatasetError} unless the process that made the lock is known to be gone */
function assertGone(path: string, owner: string, here: string): void {
  const [host, id] = owner.split(' ')
  if (host !== '' && host !== here) {
    throw new DatasetError(
      `${path}: a process on ${host} labels this share; wait for it, or delete the file if it is gone`,
    )
  }
  // With this process's number but not held by it, the lock is of an earlier process of that number.
  if (Number(id) !== process.pid && isAlive(Number(id))) {
    throw new DatasetError(
      `${path}: process ${id} labels this share; wait for it, or delete the file if that is another program`,
    )
  }
}

/** Removes a lock whose process is gone.
 *
 * @returns false when another process is about to
 */
async function breakLock(path: string, owner: string, own: string): Promise<boolean> {
  const { rm } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  if (!(await create(`${path}.break`, own))) return false
  try {
    if ((await readOwner(path)) === owner) await rm(path, { force: true })
    return true
  } finally {
    await rm(`${path}.break`, { force: true })
  }
}

function isAlive(id: number): boolean {
  if (!(id > 0)) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
