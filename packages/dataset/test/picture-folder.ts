import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

type Color = [number, number, number]

/** A PNG of one colour. */
export const plainPicture = (color: Color): Promise<Buffer> =>
  sharp({
    create: { width: 24, height: 20, channels: 3, background: { r: color[0], g: color[1], b: color[2] } },
  })
    .png()
    .toBuffer()

/** A folder of people: `count` good pictures, of which one shows nobody and one shows two; two files that are no pictures; and what is
 * none of its business. */
export async function makePictures(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const person = join(folder, `person ${i % 4}`)
    await mkdir(person, { recursive: true })
    const tone = i === 3 ? 0 : i === 5 ? 255 : 40 + i
    await writeFile(join(person, `${i}.png`), await plainPicture([tone, tone, 10 * (i % 20)]))
  }
  const good = await plainPicture([90, 90, 90])
  await writeFile(join(folder, 'person 1/cut.png'), good.subarray(0, good.length - 30))
  await writeFile(join(folder, 'person 2/text.jpg'), 'no picture')
  await writeFile(join(folder, 'person 2/notes.txt'), 'nothing')
  await writeFile(join(folder, '.hidden.png'), good)
}

/** Every file below a folder by its path, but for locks. */
export async function allFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: Record<string, string> = {}
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files[path.slice(folder.length + 1)] = (await readFile(path)).toString('base64')
  }
  return files
}
