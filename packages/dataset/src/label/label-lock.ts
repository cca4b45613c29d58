import { DatasetError } from '../dataset-error.js'

/** Sees that only one process works on a share. Node only.
 *
 * @param path - a file that is there while a process works; one of a process that is gone does not count
 * @returns gives the share free
 * @throws {DatasetError} when another process works on it
 */
export async function lockShare(path: string): Promise<() => Promise<void>> {
  const { readFile, rm, writeFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const { hostname } = await import(/* webpackIgnore: true */ 'node:os')
  const own = `${hostname()} ${process.pid}`
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, own, { flag: 'wx' })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error
    }
    const [host, id] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
    if (host !== '' && host !== hostname()) {
      throw new DatasetError(
        `${path}: a process on ${host} labels this share; wait for it, or delete the file if it is gone`,
      )
    }
    if (Number(id) !== process.pid && isAlive(Number(id))) {
      throw new DatasetError(
        `${path}: process ${id} labels this share; wait for it, or delete the file if that is another program`,
      )
    }
    await rm(path, { force: true })
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
