import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ShapeError, ValueError } from '@facekit/core'
import { composePanels, encodePng, ownPictureText, writePng } from '@facekit/export'
import { decode, encode } from 'fast-png'
import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'

describe('encodePng', () => {
  it('value: texts are in the file, before the pixels', () => {
    const bytes = encodePng(ndarray(new Uint8Array(3), [1, 1, 3]), { text: ownPictureText })
    expect(decode(bytes).text).toEqual({ Software: 'facekit' })
    const latin = new TextDecoder('latin1').decode(bytes)
    expect(latin.indexOf('Software')).toBeLessThan(latin.indexOf('IDAT'))
  })

  it('value: bytes come back as they were', () => {
    const data = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i * 10)
    const { width, height, channels, data: back } = decode(encodePng(ndarray(data, [2, 3, 3])))
    expect([width, height, channels]).toEqual([3, 2, 3])
    expect([...back]).toEqual([...data])
  })

  it('value: rows are filtered, so that smooth pictures are small', () => {
    const data = Uint8Array.from(
      { length: 64 * 64 * 3 },
      (_, i) => 100 + 0.9 * (i % 192) + 0.4 * Math.floor(i / 192) + 20 * (i % 3),
    )
    const { data: back } = decode(encodePng(ndarray(data, [64, 64, 3])))
    expect(back).toEqual(data)
    const image = { width: 64, height: 64, channels: 3, depth: 8 as const, data }
    expect(encodePng(ndarray(data, [64, 64, 3])).length).toBeLessThan(0.6 * encode(image).length)
  })

  it('value: numbers in 0..1 are rounded and clamped', () => {
    const picture = ndarray(new Float32Array([-1, 0.5, 2]), [1, 1, 3])
    expect([...decode(encodePng(picture)).data]).toEqual([0, 128, 255])
  })

  it('value: grey pictures, transparent ones and views with strides', () => {
    const grey = decode(encodePng(ndarray(new Uint8Array([1, 2, 3, 4]), [2, 2])))
    expect([grey.channels, ...grey.data]).toEqual([1, 1, 2, 3, 4])
    expect(decode(encodePng(ndarray(new Uint8Array(16), [2, 2, 4]))).channels).toBe(4)
    const turned = ndarray(new Uint8Array([1, 2, 3, 4]), [2, 2]).transpose(1, 0)
    expect([...decode(encodePng(turned)).data]).toEqual([1, 3, 2, 4])
  })

  it('throws: what is not a picture', () => {
    expect(() => encodePng(ndarray(new Uint8Array(4), [4]))).toThrow(ShapeError)
    expect(() => encodePng(ndarray(new Uint8Array(8), [2, 2, 2]))).toThrow(
      /\[2, 2, 2\], expected \[H, W, 1, 3 or 4\]/,
    )
    expect(() => encodePng(ndarray(new Uint8Array(0), [0, 4, 3]))).toThrow(/at least one pixel/)
    expect(() => encodePng(ndarray(new Float32Array([Number.NaN]), [1, 1]))).toThrow(ValueError)
    expect(() => encodePng(undefined as never)).toThrow(ShapeError)
  })

  it('smoke: writePng leaves one file and nothing temporary', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-png-'))
    await writePng(ndarray(new Uint8Array(3), [1, 1, 3]), join(folder, 'a.png'))
    expect(await readdir(folder)).toEqual(['a.png'])
    expect(decode(await readFile(join(folder, 'a.png'))).width).toBe(1)
    await expect(
      writePng(ndarray(new Uint8Array(3), [1, 1, 3]), join(folder, 'no', 'a.png')),
    ).rejects.toThrow('ENOENT')
  })
})

describe('composePanels', () => {
  const red = ndarray(
    Uint8Array.from({ length: 40 * 60 * 3 }, (_, i) => (i % 3 === 0 ? 200 : 0)),
    [40, 60, 3],
  )
  const half = ndarray(new Float32Array(20 * 30).fill(0.5), [20, 30, 1])

  it('shape: side by side with gaps, and a line for labels', () => {
    expect(composePanels([red, half]).shape).toEqual([48, 102, 3])
    expect(composePanels([red, half], ['input', 'lit']).shape).toEqual([72, 102, 3])
  })

  it('value: pictures stand where they should, labels are drawn', () => {
    const panels = composePanels([red, half], ['input', 'lit'])
    expect([0, 1, 2].map((c) => panels.get(28 + 20, 4 + 30, c))).toEqual([200, 0, 0])
    expect([0, 1, 2].map((c) => panels.get(28 + 20, 68 + 15, c))).toEqual([128, 128, 128])
    expect([0, 1, 2].map((c) => panels.get(28 + 2, 68 + 15, c))).toEqual([24, 24, 24]) // above the smaller one
    let ink = 0
    for (let y = 0; y < 28; y++) for (let x = 0; x < 102; x++) ink += Number(panels.get(y, x, 0) > 200)
    expect(ink).toBeGreaterThan(50)
    const plain = composePanels([red, half], ['', ''])
    expect(Math.max(...plain.data.subarray(0, 28 * 102 * 3))).toBe(24)
  })

  it('value: transparency lets the background through', () => {
    const clear = ndarray(new Uint8Array([255, 255, 255, 0]), [1, 1, 4])
    expect(composePanels([clear]).get(4, 4, 0)).toBe(24)
  })

  it('throws: no picture, or too few labels', () => {
    expect(() => composePanels([])).toThrow(ShapeError)
    expect(() => composePanels([red, half], ['one'])).toThrow(ValueError)
    expect(() => composePanels([red, ndarray(new Uint8Array(4), [4])])).toThrow(/pictures\[1\]/)
  })
})
