import { ModelFormatError } from '@facekit/core'
import { parseNpy, type NpyArray } from './parse-npy.js'

/** Most bytes that the arrays of one .npz file may unpack to. */
const LARGEST = 2 * 2 ** 30

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
  let files: Record<string, Uint8Array>
  try {
    let total = 0
    files = unzipSync(bytes, {
      filter: ({ name, originalSize, size }) => {
        const plain = name.replace(/\.npy$/, '')
        names.push(plain)
        if (!name.endsWith('.npy') || !wanted(plain)) return false
        total += originalSize
        // Deflate cannot do better than 1 in 1032: a header that promises more lies.
        if (total > LARGEST || originalSize > size * 1032 + 1024) {
          throw new ModelFormatError(
            `${who}: ${name} would unpack to ${originalSize} bytes from ${size}; the file is damaged`,
          )
        }
        return true
      },
    })
  } catch (error) {
    if (error instanceof ModelFormatError) throw error
    throw new ModelFormatError(
      `${who}: cannot be unpacked as .npz (${error instanceof Error ? error.message : String(error)}); the file is truncated or damaged`,
      { cause: error },
    )
  }
  const arrays = new Map<string, NpyArray>()
  for (const [name, content] of Object.entries(files)) {
    arrays.set(name.replace(/\.npy$/, ''), parseNpy(content, `${who}: ${name}`))
  }
  return { arrays, names }
}
