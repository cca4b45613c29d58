/** Names of the folders in a folder, in natural order: 2 before 10. */
export async function foldersIn(path: string): Promise<string[]> {
  return (await entriesOf(path)).filter((entry) => entry.isDirectory).map(({ name }) => name)
}

/** Names of the files in a folder that match, in natural order. */
export async function filesIn(path: string, pattern: RegExp): Promise<string[]> {
  return (await entriesOf(path))
    .filter((entry) => !entry.isDirectory && pattern.test(entry.name))
    .map(({ name }) => name)
}

/** Endings of photographs. */
export const PICTURE = /\.(jpe?g|png|webp|bmp|tiff?)$/i
/** Endings of meshes that can be read. */
export const MESH = /\.(obj|ply)$/i

/** A path without its ending. */
export const stemOf = (path: string) => path.replace(/\.[^./\\]+$/, '')

/** Whether a folder or a file is there. */
export async function isThere(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises')
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** So many of a list, evenly spaced, with the first. */
export function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)])
}

async function entriesOf(path: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const { readdir, stat } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries.map(async (entry) => ({
      name: entry.name,
      // Large data sets are often linked to.
      isDirectory: entry.isSymbolicLink()
        ? ((await stat(join(path, entry.name)).catch(() => undefined))?.isDirectory() ?? false)
        : entry.isDirectory(),
    })),
  )
  return found
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}
