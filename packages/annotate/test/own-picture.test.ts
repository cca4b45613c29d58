import { isOwnPicture } from '@facekit/annotate'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'

const grey = () => sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })

describe('isOwnPicture', () => {
  it('value: files whose software is facekit', async () => {
    const own = grey().withExif({ IFD0: { Software: 'facekit' } })
    expect(isOwnPicture(await own.clone().png().toBuffer())).toBe(true)
    expect(isOwnPicture(await own.clone().jpeg().toBuffer())).toBe(true)
  })

  it('value: no other file', async () => {
    const other = grey().withExif({ IFD0: { Software: 'GIMP 2.10', ImageDescription: 'my facekit test' } })
    for (const bytes of [
      await grey().png().toBuffer(),
      await grey().jpeg().toBuffer(),
      await other.clone().png().toBuffer(),
      await other.clone().jpeg().toBuffer(),
      new Uint8Array(),
      Uint8Array.of(0xff, 0xd8, 0xff),
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
    ])
      expect(isOwnPicture(bytes)).toBe(false)
  })
})
