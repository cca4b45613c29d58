import type { FileHandle } from 'node:fs/promises'
import { damaged } from './damaged-shard.js'

/** Where a file lies in a shard: first byte and length. */
export type Extent = [offset: number, length: number]

/** A file within a tar file. */
export interface TarMember {
  name: string
  extent: Extent
}

const BLOCK = 512
/** Longest name in a header of its own, in bytes. */
const LONGEST_NAME = 65_536

/** What a header of POSIX (`x`) or GNU (`L`) says about the member that follows it. */
interface Override {
  path?: string
  size?: number
}

/** Lists the files of a tar file in the order in which they lie, from their headers alone. Node only.
 *
 * Reads v7, ustar, pax and GNU archives (POSIX.1-2001, pax, "ustar Interchange Format"). Folders, links and devices are skipped.
 *
 * @throws {DatasetError} when it is truncated, or no tar file
 */
export async function listTar(path: string, file: FileHandle): Promise<TarMember[]> {
  const { size: length } = await file.stat()
  if (length === 0) throw damaged(path, 'the file is empty')
  const members: TarMember[] = []
  const header = new Uint8Array(BLOCK)
  let override: Override = {}
  let at = 0
  for (;;) {
    const { bytesRead } = await file.read(header, 0, BLOCK, at)
    // A tar file ends with a block of zeros; one that was cut between two members has none.
    if (bytesRead < BLOCK) throw damaged(path, `it has ${length} bytes and no end of archive`)
    if (header.every((byte) => byte === 0)) return members
    if (!checksumFits(header)) throw damaged(path, `there is no tar header at byte ${at}`)
    const type = String.fromCharCode(header[156] || 48)
    const size = override.size ?? readNumber(header, 124, 12)
    const offset = at + BLOCK
    const next = offset + Math.ceil(size / BLOCK) * BLOCK
    if (!(size >= 0) || next > length) throw damaged(path, `a file at byte ${at} reaches beyond its end`)
    if (type === 'L' || type === 'x') {
      if (size > LONGEST_NAME) throw damaged(path, `the header at byte ${at} has ${size} bytes`)
      const bytes = new Uint8Array(size)
      await file.read(bytes, 0, size, offset)
      override = { ...override, ...(type === 'L' ? { path: readText(bytes, 0, size) } : readPax(bytes)) }
    } else {
      const name = override.path ?? nameOf(header)
      // In v7 archives a folder is a file whose name ends with a slash.
      if ('07'.includes(type) && !name.endsWith('/')) members.push({ name, extent: [offset, size] })
      // A global header ('g') or a long link name ('K') is about something else than the next name.
      if (type !== 'g' && type !== 'K') override = {}
    }
    at = next
  }
}

/** The sum of the header's bytes, its own field counted as spaces; old programs added the bytes as signed numbers. */
function checksumFits(header: Uint8Array): boolean {
  let [unsigned, signed] = [0, 0]
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : header[i]
    unsigned += byte
    signed += (byte << 24) >> 24
  }
  const stored = readNumber(header, 148, 8)
  return stored === unsigned || stored === signed
}

/** Octal digits, or, where the first bit is set, a binary number (GNU, for 8 GB and more). */
function readNumber(header: Uint8Array, start: number, length: number): number {
  if (header[start] & 0x80) {
    let value = header[start] & 0x7f
    for (let i = 1; i < length; i++) value = value * 256 + header[start + i]
    return value
  }
  const digits = readText(header, start, length).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN
}

function nameOf(header: Uint8Array): string {
  const name = readText(header, 0, 100)
  // "ustar" and a zero: POSIX, with a prefix. GNU has a space there, and other fields in its place.
  const posix = readText(header, 257, 6) === 'ustar' && header[262] === 0
  const prefix = posix ? readText(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Records "length key=value" and a line feed; the length counts the whole record. */
function readPax(bytes: Uint8Array): Override {
  const found: Override = {}
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at)
    const length = Number(readText(bytes, at, space - at))
    if (space < 0 || !(length > 0)) break
    const [key, value] = splitOnce(readText(bytes, space + 1, at + length - space - 2), '=')
    if (key === 'path') found.path = value
    if (key === 'size') found.size = Number(value)
    at += length
  }
  return found
}

const splitOnce = (text: string, at: string): [string, string] => {
  const place = text.indexOf(at)
  return place < 0 ? [text, ''] : [text.slice(0, place), text.slice(place + at.length)]
}

/** Text up to the first zero. */
function readText(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}
