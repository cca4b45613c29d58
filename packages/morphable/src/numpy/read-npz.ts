import { ModelFormatError, showValue } from '@facekit/core'
import { memoryLimit } from '../readers/memory-limit.js'
import type { UnzipFileFilter } from 'fflate'
import { parseNpy, type NpyArray } from './parse-npy.js'

/** Files in a zip file; models have a few dozen. */
const MOST_FILES = 10_000

/** Whether bytes begin like a zip file, which an .npz is. */
export const isZip = (bytes: Uint8Array) =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04

/** Unpacks the arrays of an .npz file of numpy's.
 *
 * @param wanted - names of arrays that are unpacked, without `.npy`; others stay packed
 * @returns the arrays, and the names of all that the file has
 * @throws {ModelFormatError} when it is truncated, damaged, or unpacks to too much
 */
export async function readNpz(
  bytes: Uint8Array,
  who: string,
  wanted: (name: string) => boolean,
): Promise<{ arrays: Map<string, NpyArray>; names: string[] }> {
  const { unzipSync } = await import('fflate')
  const names: string[] = []
  const packed: string[] = []
  const limit = memoryLimit(bytes.length)
  const unpack = (filter: UnzipFileFilter) => {
    try {
      return unzipSync(bytes, { filter })
    } catch (error) {
      if (error instanceof ModelFormatError) throw error
      throw new ModelFormatError(
        `${who}: cannot be unpacked as .npz (${error instanceof Error ? error.message : String(error)}); the file is truncated or damaged`,
        { cause: error },
      )
    }
  }
  unpack(({ name, originalSize, size }) => {
    const plain = name.replace(/\.npy$/, '')
    names.push(plain)
    if (names.length > MOST_FILES)
      throw new ModelFormatError(`${who}: holds more than ${MOST_FILES} files; is it a model?`)
    if (!name.endsWith('.npy') || !wanted(plain)) return false
    // Deflate cannot do better than 1 in 1032: a header that promises more lies.
    if (originalSize > limit || originalSize > size * 1032 + 1024) {
      throw new ModelFormatError(
        `${who}: ${showValue(name)} would unpack to ${originalSize} bytes from ${size}, expected at most ${limit}; the file is damaged`,
      )
    }
    if (!packed.includes(name)) packed.push(name)
    return false
  })
  // One after the other: only one is in memory packed out and not yet widened.
  const arrays = new Map<string, NpyArray>()
  let left = limit
  for (const wantedName of packed) {
    let found = false
    const content = unpack(({ name }) => {
      const isFirst = name === wantedName && !found
      found ||= isFirst
      return isFirst
    })[wantedName]
    const array = parseNpy(content, `${who}: ${wantedName}`, left)
    left -= array.data.byteLength
    arrays.set(wantedName.replace(/\.npy$/, ''), array)
  }
  return { arrays, names }
}
