import { FacekitError, lockFile, LockError, type FileLock } from '@facekit/core'
import { rmSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { fileSystemReason } from '../error-line.js'

/** Temporary folders of runs that have not finished. */
const active = new Set<string>()

/** Removes what an interrupted process would leave behind; for the process's `exit` event. */
export function removeTemporaryFolders(): void {
  for (const folder of active) rmSync(folder, { recursive: true, force: true })
}

/** Names of the folders for pictures: the file's name without its ending, with a number where two are the same.
 *
 * @example
 * outputNames(['a/me.jpg', 'b/me.png', 'you.jpg']) // ['me', 'me-2', 'you']
 */
export function outputNames(pictures: readonly string[]): string[] {
  const taken = new Set<string>()
  return pictures.map((picture) => {
    const file = basename(picture.replaceAll('\\', '/'))
    const plain = basename(file, extname(file)).replace(/^[.\s]+|[.\s]+$/g, '') || 'picture'
    let name = plain
    // Some file systems ignore case.
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${plain}-${i}`
    taken.add(name.toLowerCase())
    return name
  })
}

/** A temporary folder is locked for as long as its process works: one that can be locked is left behind. */
const TEMPORARY = /^\.facekit-run-[a-z0-9]{10}$/
const LOCK = '.lock'
/** Ending of an older result while it is replaced. */
const OLD = '.old'
/** How often two processes that replace one result may meet. */
const ATTEMPTS = 20

/** A folder of results: each result is written under a temporary name and moved into place when it is complete. */
export class OutputFolders {
  readonly #root: string
  readonly #temporary: string
  /** The outermost folder that was created. */
  readonly #made: string | undefined
  readonly #lock: FileLock
  readonly #force: boolean
  readonly #own: RegExp

  private constructor(
    root: string,
    { temporary, lock }: { temporary: string; lock: FileLock },
    made: string | undefined,
    { force, own }: { force: boolean; own: RegExp },
  ) {
    this.#root = root
    this.#temporary = temporary
    this.#made = made
    this.#lock = lock
    this.#force = force
    this.#own = own
  }

  /** Creates the folder and checks that everything can be written. Removes what processes that were killed have left in it.
   *
   * @param names - folders that will be made in it
   * @param force - replace folders that exist; only such that hold nothing but `own` entries
   * @param own - names that facekit writes into such a folder; default: faces
   * @throws {FacekitError} when the folder cannot be written, or one of the names is taken
   */
  static async open(
    root: string,
    names: readonly string[],
    force: boolean,
    own = /^face-\d+$/,
  ): Promise<OutputFolders> {
    let made: string | undefined
    try {
      await removeLeftBehind(root)
      for (const name of names) await checkFree(join(root, name), force, own)
      made = await mkdir(root, { recursive: true })
      return new OutputFolders(root, await makeTemporary(root), made, { force, own })
    } catch (error) {
      if (made) await removeEmpty(root, made)
      if (error instanceof FacekitError) throw error
      throw new FacekitError(`output folder ${root} cannot be written: ${fileSystemReason(error)}`, {
        cause: error,
      })
    }
  }

  /** Creates a folder of that name, under a temporary path. */
  async start(name: string): Promise<string> {
    const folder = join(this.#temporary, name)
    await mkdir(folder)
    return folder
  }

  /** Moves a complete folder to its place, replacing an older one if that was asked for.
   *
   * @returns its path
   * @throws {FacekitError} when there is one of that name by now, and it is not to be replaced
   */
  async finish(name: string): Promise<string> {
    const target = join(this.#root, name)
    const [ready, old] = [join(this.#temporary, name), join(this.#temporary, `${name}${OLD}`)]
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Another process may have made it while this one worked. The rename fails if it does now.
      await checkFree(target, this.#force, this.#own)
      const replaced = await moved(target, old)
      try {
        await rename(ready, target)
        await rm(old, { recursive: true, force: true })
        return target
      } catch (error) {
        const isTaken = TAKEN.has((error as NodeJS.ErrnoException).code ?? '') && (await exists(target))
        if (replaced && !isTaken) await rename(old, target)
        if (!isTaken) throw error
        await rm(old, { recursive: true, force: true })
      }
    }
    throw new FacekitError(
      `output folder ${target} is replaced by other processes again and again; use another --out`,
    )
  }

  /** Removes a folder that was not completed. */
  async discard(name: string): Promise<void> {
    await rm(join(this.#temporary, name), { recursive: true, force: true })
  }

  /** Removes everything temporary, and the folder itself if this run created it and it is empty. */
  async close(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true })
    active.delete(this.#temporary)
    await this.#lock.release()
    active.delete(this.#lock.path)
    if (this.#made) await removeEmpty(this.#root, this.#made)
  }
}

/** What a rename onto a folder that is there says. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'])

/** Moves a folder away; false when there is none. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function makeTemporary(root: string): Promise<{ temporary: string; lock: FileLock }> {
  const temporary = join(root, `.facekit-run-${Math.random().toString(36).slice(2, 12).padEnd(10, '0')}`)
  // Locked before it is there, and until it is gone.
  const lock = await lockFile(`${temporary}${LOCK}`, 'writes into the folder')
  active.add(lock.path)
  try {
    await mkdir(temporary)
    active.add(temporary)
    return { temporary, lock }
  } catch (error) {
    await lock.release()
    active.delete(lock.path)
    throw error
  }
}

/** Removes temporary folders of processes that were killed. A result that such a process was about to replace goes back. */
async function removeLeftBehind(root: string): Promise<void> {
  const entries = await readdir(root).catch((): string[] => [])
  const names = new Set(
    entries.map((entry) => entry.replace(/\.lock$/, '')).filter((name) => TEMPORARY.test(name)),
  )
  for (const name of names) {
    const folder = join(root, name)
    try {
      const lock = await lockFile(`${folder}${LOCK}`, 'writes into the folder')
      for (const entry of await readdir(folder).catch((): string[] => [])) {
        const target = join(root, entry.slice(0, -OLD.length))
        if (entry.endsWith(OLD) && !(await exists(target))) await rename(join(folder, entry), target)
      }
      await rm(folder, { recursive: true, force: true })
      await lock.release()
    } catch (error) {
      // At work; or in a folder that may not be written, of which more is said later.
      if (!(error instanceof LockError) && (error as NodeJS.ErrnoException).code === undefined) throw error
    }
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function checkFree(path: string, force: boolean, own: RegExp): Promise<void> {
  if (!(await exists(path))) return
  if (!force) {
    throw new FacekitError(`output folder ${path} exists; use --force to replace it, or another --out`)
  }
  const entries = await readdir(path).catch(() => ['a file'])
  const foreign = entries.find((entry) => !own.test(entry))
  if (foreign !== undefined) {
    throw new FacekitError(
      `output folder ${path} holds what facekit did not write (${foreign}) and is not replaced; use another --out`,
    )
  }
}

/** Removes empty folders from `folder` up to `last`. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    const gone = await rmdir(path).then(
      () => true,
      () => false,
    )
    if (!gone || path === last || path === dirname(path)) return
  }
}
