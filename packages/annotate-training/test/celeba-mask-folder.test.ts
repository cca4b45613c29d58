import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCelebaMaskFolder } from '@facekit/annotate-training'
import { ImageError, labelOf, ValueError } from '@facekit/core'

let root: string

/** A picture whose pixels are `inside` in a rectangle, else `outside`. */
async function write(
  file: string,
  size: number,
  box: [number, number, number, number],
  inside: string,
  outside: string,
) {
  const [left, top, width, height] = box
  const patch = await sharp({ create: { width, height, channels: 3, background: inside } })
    .png()
    .toBuffer()
  await sharp({ create: { width: size, height: size, channels: 3, background: outside } })
    .composite([{ input: patch, left, top }])
    .toFile(file)
}

describe('openCelebaMaskFolder', () => {
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'facekit-celeba-'))
    const masks = (k: number) => join(root, 'CelebAMask-HQ-mask-anno', String(k))
    await mkdir(join(root, 'CelebA-HQ-img'), { recursive: true })
    await mkdir(masks(0), { recursive: true })
    await mkdir(masks(1), { recursive: true })
    // Pictures of 1024 with masks of 512, as in the data set, only smaller.
    await write(join(root, 'CelebA-HQ-img', '7.jpg'), 64, [16, 16, 32, 32], '#c08060', '#204060')
    await write(join(root, 'CelebA-HQ-img', '2003.jpg'), 64, [16, 16, 32, 32], '#c08060', '#204060')
    await write(join(masks(0), '00007_skin.png'), 32, [8, 8, 16, 16], '#fff', '#000')
    await write(join(masks(0), '00007_nose.png'), 32, [14, 14, 4, 4], '#fff', '#000')
    await write(join(masks(0), '00007_hair.png'), 32, [0, 0, 32, 10], '#fff', '#000')
    await write(join(masks(1), '02003_skin.png'), 32, [8, 8, 16, 16], '#fff', '#000')
  })
  afterAll(() => rm(root, { recursive: true }))

  it('value: pictures and labels, later parts over earlier ones', async () => {
    const folder = await openCelebaMaskFolder(root)
    expect(folder.indices).toEqual([7, 2003])
    const { image, labels, index } = await folder.read(7, 16)
    expect(index).toBe(7)
    const at = (x: number, y: number) => labels[y * 16 + x]
    expect(at(8, 8)).toBe(labelOf('nose'))
    expect(at(5, 10)).toBe(labelOf('skin'))
    expect(at(8, 4)).toBe(labelOf('hair'))
    expect(at(0, 15)).toBe(labelOf('background'))
    expect(image).toHaveLength(16 * 16 * 3)
    expect(Math.abs(image[(8 * 16 + 8) * 3] - 0xc0)).toBeLessThan(8)
    expect(Math.abs(image[2] - 0x60)).toBeLessThan(8)
  })

  it('value: pictures from 2000 on lie in the next folder', async () => {
    const folder = await openCelebaMaskFolder(root)
    const { labels } = await folder.read(2003, 32)
    expect(labels.reduce((sum, label) => sum + Number(label === labelOf('skin')), 0)).toBe(256)
  })

  it('throws: no such folder, no such picture, no masks', async () => {
    await expect(openCelebaMaskFolder(join(root, 'nowhere'))).rejects.toThrow(
      'give the folder that holds CelebA-HQ-img',
    )
    const folder = await openCelebaMaskFolder(root)
    await expect(folder.read(8, 16)).rejects.toThrow(ValueError)
    await write(join(root, 'CelebA-HQ-img', '9.jpg'), 64, [16, 16, 32, 32], '#fff', '#000')
    const again = await openCelebaMaskFolder(root)
    await expect(again.read(9, 16)).rejects.toThrow(ImageError)
    await rm(join(root, 'CelebA-HQ-img', '9.jpg'))
  })
})
