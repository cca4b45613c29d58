import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import Module, { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { writePng } from '@facekit/export'
import { loadMorphableModel, validateModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { run } from './run-in-process.js'

const SIZE = 160
const PEOPLE = 3
const PHOTOGRAPHS = 2
const human = (() => {
  try {
    return createRequire(new URL('../../base-model/package.json', import.meta.url)).resolve(
      '@vladmandic/human',
    )
  } catch {
    return ''
  }
})()

let folder: string
let people: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-learn-'))
  people = join(folder, 'people')
  await drawPeople(people)
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

/** Faces that nobody has, a folder each, two pictures in each. */
async function drawPeople(to: string): Promise<void> {
  await initEngine({ backend: 'wasm' })
  const model = await loadBaseModel({ variant: 'synthetic' })
  const random = createRandom(77)
  const row = (count: number, draw: (k: number) => number) =>
    tf.tensor2d([Array.from({ length: count }, (_, k) => draw(k))])
  for (let person = 0; person < PEOPLE; person++) {
    const own = join(to, `person-${person}`)
    await mkdir(own, { recursive: true })
    const identity = row(model.layout.identity, () => random.normal())
    for (let photograph = 0; photograph < PHOTOGRAPHS; photograph++) {
      const neutral = neutralParameters(model.layout)
      const parameters: FaceParameters = {
        ...neutral,
        identity,
        expression: row(model.layout.expression, (k) => (k === 0 ? 0.3 * photograph : 0)),
        pose: { ...neutral.pose, rotation: row(3, (k) => (k === 1 ? 0.1 * photograph : 0)) },
        illumination: {
          ...neutral.illumination,
          sphericalHarmonics: tf.tidy(() =>
            tf.concat([tf.fill([1, 1, 3], 3), tf.fill([1, 1, 3], 0.5), tf.zeros([1, 7, 3])], 1),
          ) as tf.Tensor3D,
        },
      }
      const image = tf.tidy(() =>
        tf.clipByValue(
          renderFace(model, parameters, { width: SIZE, height: SIZE, background: 0.3 }).image,
          0,
          1,
        ),
      )
      await writePng(
        ndarray((await image.data()) as Float32Array, [SIZE, SIZE, 3]),
        join(own, `${photograph}.png`),
      )
      image.dispose()
      disposeParameters({ ...parameters, identity: tf.tensor2d([[0]]) })
    }
    identity.dispose()
  }
  await writeFile(join(to, 'person-0', 'broken.jpg'), 'no picture')
  await mkdir(join(to, 'nobody'))
}

describe('facekit model learn', () => {
  it('throws: before any work, one line each', async () => {
    const out = join(folder, 'x.safetensors')
    const line = async (...argv: string[]) => {
      const { code, stderr } = await run(['model', 'learn', ...argv])
      expect(code).not.toBe(0)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      return stderr
    }
    expect(await line(people, '-o', 'model.bin')).toContain('is no .safetensors file')
    expect(await line(join(folder, 'nowhere'), '-o', out)).toContain('is no folder that can be read')
    expect(await line(join(people, 'nobody'), '-o', out)).toContain('make one folder for each person')
    expect(await line(people, '-o', out, '--stretch', '2')).toContain('expected a number from 0 to 1')
    await writeFile(out, '')
    expect(await line(people, '-o', out)).toContain('--force replaces it')
    await rm(out)
  })

  it('throws: without @vladmandic/human it is asked for by name', async () => {
    const loader = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string }
    const resolve = loader._resolveFilename
    vi.spyOn(loader, '_resolveFilename').mockImplementation((request, ...rest) => {
      if (request === '@vladmandic/human') throw new Error(`Cannot find module '${request}'`)
      return resolve.call(loader, request, ...rest)
    })
    const out = join(folder, 'missing.safetensors')
    const { code, stderr } = await run(['model', 'learn', people, '-o', out, '--backend', 'wasm'])
    expect(code).not.toBe(0)
    expect(stderr).toContain('npm install @vladmandic/human')
    expect(existsSync(out)).toBe(false)
  })

  it.skipIf(!human)(
    'value: interrupted, it goes on from the cache and learns a model',
    { timeout: 300_000 },
    async () => {
      const [out, cache] = [join(folder, 'learned.safetensors'), join(folder, 'cache')]
      const argv = [
        'model',
        'learn',
        people,
        '-o',
        out,
        '--cache',
        cache,
        '--backend',
        'wasm',
        '--name',
        'three',
      ]
      const controller = new AbortController()
      const seen = setInterval(() => {
        if (existsSync(cache)) controller.abort()
      }, 5)
      const stopped = await run(argv, { signal: controller.signal })
      clearInterval(seen)
      expect(stopped.code).not.toBe(0)
      expect(stopped.stderr).toContain(`${people}: photographs`)
      expect(existsSync(out)).toBe(false)
      const kept = (await readdir(cache)).length
      expect(kept).toBeGreaterThan(0)
      expect(kept).toBeLessThan(PEOPLE)

      const { code, stdout, stderr } = await run([...argv, '--json'])
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(await readdir(cache)).toHaveLength(PEOPLE)
      const report = JSON.parse(stdout) as { people: number; photographs: number; albedoPeople: number }
      expect(report).toMatchObject({
        people: PEOPLE,
        photographs: PEOPLE * PHOTOGRAPHS,
        albedoPeople: PEOPLE,
      })
      const model = await loadMorphableModel(out)
      validateModel(model)
      expect(model.name).toBe('three')
      expect(model.license).toBe('unknown')
      expect(model.layout).toMatchObject({ identity: 80, expression: 52 })
    },
  )
})
