import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWiderFace, parseWiderFace } from '@facekit/annotate-training'
import { AnnotationError } from '@facekit/core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('WIDER FACE', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wider-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const list = [
    '0--Parade/a.jpg',
    '2',
    '449 330 122 149 0 0 0 0 0 0 ',
    '10 20 8 9 2 0 0 0 2 0 ',
    '0--Parade/none.jpg',
    '0',
    '0 0 0 0 0 0 0 0 0 0 ',
    '1--Handshaking/b.jpg',
    '1',
    '5 6 70 80 1 0 0 1 0 0 ',
    '',
  ].join('\n')

  it('value: pictures, boxes, and which do not count', () => {
    expect(parseWiderFace(list)).toEqual([
      {
        name: '0--Parade/a.jpg',
        faces: [
          { box: { x: 449, y: 330, width: 122, height: 149 } },
          { box: { x: 10, y: 20, width: 8, height: 9 }, ignored: true },
        ],
      },
      { name: '0--Parade/none.jpg', faces: [] },
      {
        name: '1--Handshaking/b.jpg',
        faces: [{ box: { x: 5, y: 6, width: 70, height: 80 }, ignored: true }],
      },
    ])
  })

  it('throws: damaged lists', () => {
    expect(() => parseWiderFace('a.jpg\nmany\n')).toThrow(AnnotationError)
    expect(() => parseWiderFace('a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n')).toThrow(/line 4/)
    expect(() => parseWiderFace('a.jpg\n1\n1 2 x 4\n')).toThrow(/x y width height/)
  })

  it('value: the folder is read when asked for', async () => {
    await sharp({ create: { width: 150, height: 225, channels: 3, background: '#987' } })
      .png()
      .toFile(join(folder, 'one.png'))
    await writeFile(join(folder, 'list.txt'), 'one.png\n1\n10 20 100 120 0 0 0 0 0 0\n')
    const [scene] = await openWiderFace(folder, join(folder, 'list.txt'))
    expect((await scene.read()).shape).toEqual([225, 150, 3])
    expect(scene.faces).toHaveLength(1)
  })
})
