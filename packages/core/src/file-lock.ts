import { FacekitError } from './errors.js'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js'

/** Another process, or another call in this one, works on the same files. */
export class LockError extends FacekitError {
  override name = 'LockError'
}

/** A lock that this process holds. */
export interface FileLock {
  readonly path: string
  /** Whether the lock is still there and still this process's: false when its folder was removed or replaced. */
  isHeld(): Promise<boolean>
  /** Removes the lock. May be called twice. */
  release(): Promise<void>
}

/** Milliseconds after which a lock that nobody has renewed counts as left behind, where the process itself cannot be looked at. */
const STALE = 300_000
/** How often the holder renews it. */
const RENEWAL = 30_000
/** After so many milliseconds a lock without a readable owner is no lock that is just being written. */
const UNFINISHED = 5000
/** Milliseconds after which a file beside a lock is no part of a lock that is being taken. */
const LITTER = 60_000
/** How often a lock is looked at again while others change it, and milliseconds between. */
const [ATTEMPTS, PAUSE] = [200, 25]
/** Locks of locks of locks: each level is a process that was killed while it took over. */
const DEEPEST = 4

/** Paths that this process has locked or is about to. */
const held = new Set<string>()

// A lock is a file that says who made it (machine, process, when that began) and a token that no other lock has. It is linked to its name with
// its content, and linking fails when the name is taken. A lock whose process is gone is taken over by a rename onto it; only who holds
// the lock `<path>.<its token>` may do so, and looks first whether the token is still there: of many that find it left behind at once, one gets it.

/** Locks a path for this process, across processes and machines that share a file system. Node only.
 *
 * A lock whose process is gone is taken over: one of this machine at once, also when another process has its number now; one of another
 * machine when it was not renewed for five minutes.
 *
 * @param path - of the lock file, in a folder that exists
 * @param what - what the holder does with which files, for the message: `"trains in runs/first"`
 * @throws {LockError} when this process or another one holds it
 * @throws the file system's error when the file cannot be written
 * @example
 * const lock = await lockFile('runs/first/.facekit-lock', 'trains in runs/first')
 * try { ... } finally { await lock.release() }
 */
export async function lockFile(path: string, what: string): Promise<FileLock> {
  const { resolve } = await import(/* webpackIgnore: true */ 'node:path')
  const key = resolve(path)
  if (held.has(key)) throw new LockError(`${path}: this process ${what} already; wait for it`)
  held.add(key)
  try {
    return await acquire(path, key, what, 0)
  } catch (error) {
    held.delete(key)
    throw error
  }
}

interface Owner extends ProcessIdentity {
  token: string
}

async function acquire(path: string, key: string, what: string, depth: number): Promise<FileLock> {
  const { rename } = await files()
  const { setTimeout: sleep } = await import(/* webpackIgnore: true */ 'node:timers/promises')
  const own: Owner = { ...(await ownIdentity()), token: newToken() }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path, own)) {
      await tidy(path)
      return holdLock(path, key, own.token)
    }
    const found = await readOwner(path)
    // Released meanwhile.
    if (found === undefined) continue
    if (!(await isLeftBehind(path, found))) {
      if (found.token === '') {
        await sleep(PAUSE)
        continue
      }
      throw new LockError(`${path}: ${describe(found)} ${what}; wait for it, or end it`)
    }
    if (depth === DEEPEST) break
    const claimPath = `${path}.${found.token || 'unfinished'}`
    let claim: FileLock
    try {
      claim = await acquire(claimPath, '', 'takes over a lock that was left behind', depth + 1)
    } catch (error) {
      if (!(error instanceof LockError)) throw error
      await sleep(PAUSE)
      continue
    }
    try {
      if ((await readOwner(path))?.token !== found.token) continue
      const temporary = `${path}.${own.token}`
      await writeOwner(temporary, own)
      await rename(temporary, path)
      await tidy(path)
      return holdLock(path, key, own.token)
    } finally {
      await claim.release()
    }
  }
  throw new LockError(`${path}: cannot be locked; delete it if no process ${what}`)
}

function holdLock(path: string, key: string, token: string): FileLock {
  // Renewed for other machines, which cannot see whether the process lives.
  const timer = setInterval(() => void renew(path), RENEWAL)
  timer.unref()
  const isHeld = async () => (await readOwner(path).catch(() => undefined))?.token === token
  let open = true
  return {
    path,
    isHeld,
    async release() {
      if (!open) return
      open = false
      clearInterval(timer)
      const { rm } = await files()
      if (await isHeld()) await rm(path, { force: true })
      if (key !== '') held.delete(key)
    },
  }
}

/** Writes the letter that is there: the time is that of the file system, whose clock may differ from this machine's. */
async function renew(path: string): Promise<void> {
  const { open } = await files()
  // A folder that is gone is found out by isHeld.
  const file = await open(path, 'r+').catch(() => undefined)
  await file?.write('{', 0).catch(() => {})
  await file?.close()
}

/** Makes a file with its content at once, unless there is one. */
async function create(path: string, own: Owner): Promise<boolean> {
  const { link, rm, writeFile } = await files()
  const temporary = `${path}.${own.token}`
  await writeOwner(temporary, own)
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
    // A file system without links.
    return writeFile(path, JSON.stringify(own), { flag: 'wx' }).then(
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

async function writeOwner(path: string, own: Owner): Promise<void> {
  const { writeFile } = await files()
  await writeFile(path, JSON.stringify(own), { flag: 'wx' })
}

/** What a lock says; nothing when it is not there, an empty token when it cannot be understood. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const { readFile } = await files()
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const { host, process: id, start, token } = (parse(text) ?? {}) as Record<keyof Owner, unknown>
  if (typeof host === 'string' && typeof start === 'string' && Number.isSafeInteger(id) && isToken(token))
    return { host, process: id as number, start, token }
  return { host: '', process: 0, start: '', token: '' }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function isLeftBehind(path: string, owner: Owner): Promise<boolean> {
  if (owner.token === '') return (await ageOf(path)) > UNFINISHED
  const running = await isRunning(owner)
  // Of this process, but not held by it (see `held`): another copy of this module in it may hold it.
  return running === undefined ? (await ageOf(path)) > STALE : !running
}

/** Milliseconds since a file was renewed, forwards or (the clock was set back) backwards, by the clock of its file system. */
async function ageOf(path: string): Promise<number> {
  const { rm, stat, writeFile } = await files()
  const probe = `${path}.${newToken()}`
  try {
    await writeFile(probe, '')
    const [now, then] = [(await stat(probe)).mtimeMs, (await stat(path)).mtimeMs]
    return Math.abs(now - then)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  } finally {
    await rm(probe, { force: true })
  }
}

/** Removes what processes that were killed while they locked have left beside a lock. */
async function tidy(path: string): Promise<void> {
  const { readdir, rm, stat } = await files()
  const { basename, dirname, join } = await import(/* webpackIgnore: true */ 'node:path')
  const [folder, prefix] = [dirname(path), `${basename(path)}.`]
  const { mtimeMs: now } = await stat(path)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.slice(prefix.length).split('.').every(isToken)) continue
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: now }))
    if (Math.abs(now - mtimeMs) > LITTER) await rm(join(folder, name), { force: true })
  }
}

const describe = ({ host, process: id }: Owner) => `process ${id} on ${host.split(' ')[0]}`
const newToken = () => Math.random().toString(36).slice(2, 12).padEnd(10, '0')
const isToken = (value: unknown): value is string => typeof value === 'string' && /^[a-z0-9]{10}$/.test(value)
const files = () => import(/* webpackIgnore: true */ 'node:fs/promises')
