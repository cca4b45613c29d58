/** Name of a temporary file of `writeFileAtomic`: the file's, the process and random letters. */
const TEMPORARY = /\.\d+\.[a-z0-9]{1,6}\.tmp$/

/** Writes a file so that it exists whole or not at all: to a temporary name beside it, then renamed. Node only.
 *
 * @throws the file system's own error, which names the file also where the system's does not (a full disk); the temporary file is removed first
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const { open, rename, rm } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw namingFile(error, path)
  }
}

/** Appends to a file. Node only.
 *
 * @throws the file system's own error, which names the file also where the system's does not
 */
export async function appendToFile(path: string, content: Uint8Array | string): Promise<void> {
  const { appendFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  await appendFile(path, content).catch((error: unknown) => {
    throw namingFile(error, path)
  })
}

/** Removes what `writeFileAtomic` leaves in a folder when its process is killed. Only for a folder that no other process writes to: one
 * that is locked, see `lockFile`. Node only.
 *
 * @param isOwn - whether a file, by its final name, is one of the caller's
 */
export async function removeTemporaryFiles(folder: string, isOwn: (name: string) => boolean): Promise<void> {
  const { readdir, rm } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const { join } = await import(/* webpackIgnore: true */ 'node:path')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    if (TEMPORARY.test(name) && isOwn(name.replace(TEMPORARY, '')))
      await rm(join(folder, name), { force: true })
  }
}

/** The errors of writes say neither which file nor which disk. */
function namingFile(error: unknown, path: string): unknown {
  const system = error as NodeJS.ErrnoException
  if (!(error instanceof Error) || system.code === undefined) return error
  const isNamed = system.path !== undefined && error.message.includes(path)
  if (!isNamed) error.message = `${error.message.replace(/, write$/, '')}: ${path}`
  system.path = path
  return error
}
