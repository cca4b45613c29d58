/** The files below a folder (no pipes and devices), also in folders that are linked into it; paths below the folder, with `/`, in no particular order. Node only.
 *
 * A link that leads back to a folder above it is not followed.
 *
 * @param enter - whether to look into a folder, by its path below `folder`; default: into all
 * @throws the file system's error when a folder cannot be read
 */
export async function listFiles(
  folder: string,
  enter: (path: string) => boolean = () => true,
): Promise<string[]> {
  const { readdir, realpath, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const { join } = await import(/* webpackIgnore: true */ 'node:path')
  const found: string[] = []
  const visit = async (path: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(join(folder, path))
    if (above.includes(real)) return
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      const target = entry.isSymbolicLink() ? await stat(join(folder, name)).catch(() => entry) : entry
      if (target.isFile()) found.push(name)
      else if (target.isDirectory() && enter(name)) await visit(name, [...above, real])
    }
  }
  await visit('', [])
  return found
}
