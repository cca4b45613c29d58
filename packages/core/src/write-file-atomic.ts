/** Writes a file so that it exists whole or not at all: to a temporary name beside it, then renamed. Node only.
 *
 * @throws the file system's own error; the temporary file is removed first
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
    await rm(temporary, { force: true })
    throw error
  }
}
