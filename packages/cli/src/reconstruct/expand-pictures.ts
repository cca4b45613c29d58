import { ValueError } from '@facekit/core'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What may stand before the pixels of facekit's own pictures. */
const HEADER = 4096

/** The photographs that the command line names: files, all pictures below folders, and what patterns with `*`, `?` and `**` match.
 *
 * Folders and patterns leave out what facekit made (panels, maps, contact sheets) and the folder of results; a file that is named counts
 * whatever it is.
 *
 * @param out - the folder of results
 * @throws {ValueError} when a folder or a pattern holds no picture
 */
export async function expandPictures(names: readonly string[], out: string): Promise<string[]> {
  const pictures: string[] = []
  for (const name of names) {
    const info = await stat(name).catch(() => undefined)
    if (info?.isDirectory()) pictures.push(...(await picturesIn(name, out)))
    else if (info || !/[*?]/.test(name)) pictures.push(name)
    else pictures.push(...(await matches(name)))
  }
  return [...new Set(pictures)]
}

async function picturesIn(folder: string, out: string): Promise<string[]> {
  const { listPictures } = await import('@facekit/dataset')
  const paths = (await listPictures(folder, out)).map((path) => join(folder, path))
  const found = await withoutOwn(paths)
  if (found.length === 0)
    throw new ValueError(`${folder}: holds no photographs; name a file, or another folder`)
  return found
}

async function matches(pattern: string): Promise<string[]> {
  const found = await withoutOwn(await glob(pattern))
  if (found.length === 0) throw new ValueError(`${pattern}: matches no photograph; check the pattern`)
  return found
}

async function withoutOwn(paths: readonly string[]): Promise<string[]> {
  const { isOwnPicture } = await import('@facekit/annotate')
  const kept: string[] = []
  for (const path of paths) if (!isOwnPicture(await headOf(path))) kept.push(path)
  return kept
}

async function headOf(path: string): Promise<Uint8Array> {
  // A pipe that nobody writes to would not open.
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false
  const file = isFile ? await open(path).catch(() => undefined) : undefined
  // A file that cannot be read is named when it is the picture's turn.
  if (!file) return new Uint8Array()
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER), 0, HEADER, 0)
    return buffer.subarray(0, bytesRead)
  } catch {
    return new Uint8Array()
  } finally {
    await file.close()
  }
}

/** Files that a pattern matches, in the order of their names; shells other than those of Windows have done so before. */
async function glob(pattern: string): Promise<string[]> {
  const parts: string[] = []
  let root = pattern
  while (/[*?]/.test(root)) {
    parts.unshift(basename(root))
    root = dirname(root)
  }
  return (await below(root, parts)).toSorted()
}

async function below(folder: string, [part, ...rest]: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder).catch(() => [])
  const found: string[] = part === '**' ? await below(folder, rest.length > 0 ? rest : ['*']) : []
  for (const entry of entries) {
    if (entry.startsWith('.') && !part.startsWith('.')) continue
    const path = join(folder, entry)
    const info = await stat(path).catch(() => undefined)
    const isFolder = info?.isDirectory() ?? false
    if (part === '**') {
      if (isFolder) found.push(...(await below(path, [part, ...rest])))
    } else if (segment(part).test(entry)) {
      if (rest.length > 0 && isFolder) found.push(...(await below(path, rest)))
      if (rest.length === 0 && (info === undefined || info.isFile())) found.push(path)
    }
  }
  return found
}

/** A part of a pattern as an expression for names. */
const segment = (part: string): RegExp =>
  new RegExp(
    `^${part
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )
