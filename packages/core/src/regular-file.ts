import type { Stats } from 'node:fs'

/** Reads a file whole, if it is one: a pipe, a terminal or a device would be read for ever, or without end. Node only.
 *
 * @param most - largest length that is read, bytes
 * @throws the file system's error; one with the code `EISDIR`, `ENOTREG` (no regular file) or `EFBIG` before a byte is read
 */
export async function readRegularFile(
  path: string | URL,
  most = Number.MAX_SAFE_INTEGER,
): Promise<Uint8Array<ArrayBuffer>> {
  const { open, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  // Before it is opened: a pipe that nobody writes to would not open.
  assertRegular(await stat(path), path, most)
  const file = await open(path)
  try {
    const info = await file.stat()
    assertRegular(info, path, most)
    const bytes = new Uint8Array(info.size)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, Math.min(bytes.length - length, 2 ** 30), length)
      // It was cut meanwhile.
      if (bytesRead === 0) return bytes.slice(0, length)
      length += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

function assertRegular(info: Stats, path: string | URL, most: number): void {
  const fail = (code: string, message: string) =>
    Object.assign(new Error(message), { code, path: String(path) })
  if (info.isDirectory()) throw fail('EISDIR', `${String(path)} is a folder, expected a file`)
  if (!info.isFile())
    throw fail('ENOTREG', `${String(path)} is a pipe, a socket or a device, expected a regular file`)
  if (info.size > most)
    throw fail('EFBIG', `${String(path)} has ${info.size} bytes, expected at most ${most}`)
}
