import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { reconstructPhoto } from './index.js'

const packageFile = createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')
const photo = join(dirname(packageFile), 'demo/sample6.jpg')

describe.skipIf(!existsSync(photo))('04-reconstruct-a-photo', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: a mesh and a page, near the photograph after a few steps', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-example-'))
    try {
      const { landmarkError, colorError } = await reconstructPhoto(photo, folder, 4)
      expect(landmarkError).toBeLessThan(0.035)
      expect(colorError).toBeLessThan(0.115)
      expect((await readFile(join(folder, 'face.glb'))).toString('latin1', 0, 4)).toBe('glTF')
      expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('href="face.glb"')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
