import { mkdir, mkdtemp, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { FacekitError } from '@facekit/core'
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

/** A folder of results: each result is written under a temporary name and moved into place when it is complete. */
export class OutputFolders {
  readonly #root: string
  readonly #temporary: string
  /** The outermost folder that was created. */
  readonly #made: string | undefined

  private constructor(root: string, temporary: string, made: string | undefined) {
    this.#root = root
    this.#temporary = temporary
    this.#made = made
  }

  /** Creates the folder and checks that everything can be written.
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
    for (const name of names) await checkFree(join(root, name), force, own)
    let made: string | undefined
    try {
      made = await mkdir(root, { recursive: true })
      const temporary = await mkdtemp(join(root, '.facekit-'))
      active.add(temporary)
      return new OutputFolders(root, temporary, made)
    } catch (error) {
      if (made) await removeEmpty(root, made)
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

  /** Moves a complete folder to its place, replacing an older one.
   *
   * @returns its path
   */
  async finish(name: string): Promise<string> {
    const target = join(this.#root, name)
    const old = join(this.#temporary, `${name}.old`)
    const replaced = await exists(target)
    if (replaced) await rename(target, old)
    try {
      await rename(join(this.#temporary, name), target)
    } catch (error) {
      if (replaced) await rename(old, target)
      throw error
    }
    return target
  }

  /** Removes a folder that was not completed. */
  async discard(name: string): Promise<void> {
    await rm(join(this.#temporary, name), { recursive: true, force: true })
  }

  /** Removes everything temporary, and the folder itself if this run created it and it is empty. */
  async close(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true })
    active.delete(this.#temporary)
    if (this.#made) await removeEmpty(this.#root, this.#made)
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
