import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPicture } from '@facekit/annotate'
import { encodePng, writePng } from '@facekit/export'
import ndarray from 'ndarray'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Photographs of face-api's package: a development dependency, always there. */
export const photograph = (n: number) => join(root, `node_modules/@vladmandic/face-api/demo/sample${n}.jpg`)

/** Writes pictures that cannot be reconstructed. */
export async function writeBadPictures(folder: string): Promise<Record<string, string>> {
  const at = (name: string) => join(folder, name)
  await writeFile(at('text.jpg'), 'This is no picture.\n')
  await writeFile(at('empty.png'), '')
  const jpeg = await readFile(photograph(6))
  await writeFile(at('truncated.jpg'), jpeg.subarray(0, jpeg.length / 3))
  await writeFile(at('tiny.png'), encodePng(ndarray(new Uint8Array([200, 150, 120]), [1, 1, 3])))
  await writeFile(at('grey.png'), encodePng(ndarray(new Uint8Array(300 * 200 * 3).fill(128), [200, 300, 3])))
  await writeFile(at('huge.png'), hugePng())
  const names = ['text.jpg', 'empty.png', 'truncated.jpg', 'tiny.png', 'grey.png', 'huge.png']
  return Object.fromEntries(names.map((name) => [name.split('.')[0], at(name)]))
}

/** The head of a PNG of 30,000 x 30,000 pixels: a decoder that believes it takes 2.7 GB. */
function hugePng(): Uint8Array {
  const bytes = encodePng(ndarray(new Uint8Array(3), [1, 1, 3])).slice()
  const view = new DataView(bytes.buffer)
  view.setUint32(16, 30_000)
  view.setUint32(20, 30_000)
  view.setUint32(29, crc32(bytes.subarray(12, 29)))
  return bytes
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** Writes a part of a photograph as PNG. */
export async function writeCrop(
  from: string,
  to: string,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): Promise<string> {
  const picture = await readPicture(from)
  await writePng(picture.lo(y, x, 0).hi(height, width, 3), to)
  return to
}
