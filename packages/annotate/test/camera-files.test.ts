import { ImageError } from '@facekit/core'
import { readPicture } from '@facekit/annotate'
import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { writeTiff } from './write-tiff.js'

const levels = [0, 64, 128, 255]
const grey = (values: readonly number[]) => values.flatMap((value) => [value, value, value])
const seen = async (bytes: Uint8Array) => [...(await readPicture(bytes)).data].filter((_, i) => i % 3 === 0)

describe('samples of 32 bits', () => {
  it.each([
    ['unsigned, 32 bits full', 1, (2 ** 32 - 1) / 255],
    ['unsigned, 16 bits full', 1, 257],
    ['unsigned, 8 bits full', 1, 1],
    ['signed, 31 bits full', 2, (2 ** 31 - 1) / 255],
    ['floating point to 255', 3, 1],
    ['floating point to 65,535', 3, 257],
  ] as const)('value: %s', async (_, format, unit) => {
    expect(
      await seen(writeTiff(4, 1, format, grey(levels.map((level) => Math.floor(level * unit))))),
    ).toEqual(levels)
  })

  it('value: floating point to 255 with fractions', async () => {
    expect(await seen(writeTiff(4, 1, 3, grey([0.2, 63.6, 128.4, 254.9])))).toEqual(levels)
  })

  it('value: linear light to 1, and brighter', async () => {
    // sRGB of 0.2158 is 128, of 0.0508 is 64.
    const [dark, quarter, half, white, sun] = await seen(writeTiff(5, 1, 3, grey([0, 0.0508, 0.2158, 1, 3])))
    expect([dark, quarter, half, white, sun]).toEqual([0, 64, 128, 255, 255])
  })
})

describe('files of telephones', () => {
  const still = () =>
    sharp({ create: { width: 24, height: 16, channels: 3, background: '#c04020' } })
      .jpeg({ quality: 100 })
      .toBuffer()
  const other = () =>
    sharp({ create: { width: 60, height: 40, channels: 3, background: '#00ff00' } })
      .jpeg()
      .toBuffer()

  it.each([
    'MPO and Ultra HDR, a second JPEG behind the first',
    'a motion photograph, a film behind the JPEG',
  ])('value: the still picture of %s', async (kind) => {
    const film = Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(4000, 7)])
    const picture = await readPicture(
      Buffer.concat([await still(), kind.startsWith('MPO') ? await other() : film]),
    )
    expect(picture.shape).toEqual([16, 24, 3])
    expect(Math.abs(picture.get(8, 12, 0) - 0xc0)).toBeLessThan(4)
    expect(Math.abs(picture.get(8, 12, 2) - 0x20)).toBeLessThan(4)
  })

  it('value: HEIC, by heic-decode', async () => {
    const picture = await readPicture(Buffer.from(HEIC, 'base64'))
    expect(picture.shape).toEqual([64, 64, 3])
    for (const [x, color] of [
      [10, [0x20, 0x40, 0xc0]],
      [54, [0xc0, 0x40, 0x20]],
    ] as const) {
      for (const c of [0, 1, 2]) expect(Math.abs(picture.get(32, x, c) - color[c])).toBeLessThan(6)
    }
  })

  it('throws: HEIC without heic-decode, with the name of the package', async () => {
    vi.doMock('heic-decode', () => {
      throw new Error('Cannot find package')
    })
    try {
      const reading = readPicture(Buffer.from(HEIC, 'base64'))
      await expect(reading).rejects.toThrow(ImageError)
      await expect(reading).rejects.toThrow(/HEIC needs the optional package heic-decode; npm install/)
    } finally {
      vi.doUnmock('heic-decode')
    }
  })

  it('value: 108 megapixels, as telephones take them', async () => {
    const [width, height] = [12_000, 9_000]
    const bytes = await sharp({ create: { width, height, channels: 3, background: '#c04020' } })
      .jpeg()
      .toBuffer()
    const picture = await readPicture(bytes)
    expect(picture.shape).toEqual([height, width, 3])
    expect(Math.abs(picture.get(height - 1, width - 1, 0) - 0xc0)).toBeLessThan(4)
  })

  it('throws: a damaged HEIC file', async () => {
    const cut = Buffer.from(HEIC, 'base64').subarray(0, 640)
    await expect(readPicture(cut)).rejects.toThrow(ImageError)
  })
})

/** 64 x 64 pixels, the left half blue, the right one red; written by heif-enc of libheif 1.15. */
const HEIC =
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAkVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAANGlsb2MAAAAAREAAAgABAAAAAAJpAAEAAAAAAAAALgACAAAAAAKXAAEAAAAAAAAAEwAAADhpaW5mAAAAAAACAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAFWluZmUCAAAAAAIAAGh2YzEAAAABhGlwcnAAAAFfaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAEAAAABAAAAAEHBpeGkAAAAAAwgICAAAAHJodmNDAQQIAAAAAAAAAAAAHvAA/Pz4+AAADwMgAAEAF0ABDAH//wQIAAADAJ/4AAADAAAeugJAIQABACZCAQEECAAAAwCf+AAAAwAAHsCCBBZbqSSmubAgAAADACAAAAMAISIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAEAAAABAAAAADnBpeGkAAAAAAQgAAAAnYXV4QwAAAAB1cm46bXBlZzpoZXZjOjIwMTU6YXV4aWQ6MQAAAAAdaXBtYQAAAAAAAAACAAEDgQKDAAIEhAWGhwAAABppcmVmAAAAAAAAAA5hdXhsAAIAAQABAAAASW1kYXQAAAAqKAGvBjha/P03+kY3+R/c0b//6/Cmwlfu5J//+1GFrP7OqHx8YaL/4df4AAAADygBrgxwdQXlv/BzUinemA=='
