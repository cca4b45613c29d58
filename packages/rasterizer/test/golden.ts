import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode } from 'fast-png'
import { expect } from 'vitest'

const folder = new URL('./golden/', import.meta.url)

/** Compares a picture `[H, W, 3]` of 0..1 with the stored one, `test/golden/NAME.png`.
 *
 * UPDATE_GOLDEN=1 writes it instead. When it differs, a picture of stored, drawn and difference (times 8), side by side, is left in
 * the folder for temporary files, and the message says where.
 *
 * @param edges - how many pixels may differ by more than a rounding step: those whose centre is on an edge but for rounding
 */
export async function expectGolden(
  name: string,
  picture: ArrayLike<number>,
  width: number,
  height: number,
  edges: number,
): Promise<void> {
  const drawn = Uint8Array.from(picture, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255))
  expect(drawn.length).toBe(width * height * 3)
  const file = new URL(`${name}.png`, folder)
  if (process.env.UPDATE_GOLDEN) {
    await writeFile(file, encode({ width, height, data: drawn, channels: 3, depth: 8 }))
    return
  }
  if (!existsSync(file)) throw new Error(`test/golden/${name}.png is missing; run once with UPDATE_GOLDEN=1`)
  const { data, ...stored } = decode(await readFile(file))
  expect([stored.width, stored.height, stored.channels]).toEqual([width, height, 3])
  let wrong = 0
  for (let q = 0; q < width * height; q++) {
    if ([0, 1, 2].some((k) => Math.abs(drawn[3 * q + k] - data[3 * q + k]) > 1)) wrong++
  }
  if (wrong <= edges) return
  const path = await writeDifference(name, data, drawn, width, height)
  throw new Error(
    `${name}: ${wrong} pixels differ from test/golden/${name}.png, expected ${edges} at most; see ${path} (stored, drawn, difference)`,
  )
}

async function writeDifference(
  name: string,
  stored: ArrayLike<number>,
  drawn: ArrayLike<number>,
  width: number,
  height: number,
): Promise<string> {
  const data = new Uint8Array(3 * width * height * 3)
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < 3 * width; i++) {
      const from = row * 3 * width + i
      const to = row * 9 * width + i
      data[to] = stored[from]
      data[to + 3 * width] = drawn[from]
      data[to + 6 * width] = Math.min(255, 8 * Math.abs(stored[from] - drawn[from]))
    }
  }
  const target = join(tmpdir(), 'facekit-golden')
  await mkdir(target, { recursive: true })
  const path = join(target, `${name}.png`)
  await writeFile(path, encode({ width: 3 * width, height, data, channels: 3, depth: 8 }))
  return path
}
