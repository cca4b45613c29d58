import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { photograph, writeCrop } from './pictures.js'
import { run } from './run-in-process.js'

let folder: string
/** What `facekit reconstruct` has made of a photograph. */
let face: string
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-round-trip-'))
  const box = { x: 1385, y: 160, width: 410, height: 500 }
  const picture = await writeCrop(photograph(6), join(folder, 'one.png'), box)
  const flags = ['--iterations', '5', '--texture', '256', '--backend', 'wasm']
  const { code, stderr } = await run(['reconstruct', picture, '-o', join(folder, 'out'), ...flags])
  if (code !== 0) throw new Error(stderr)
  face = join(folder, 'out/one/face-1')
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const parameters = (of: string) => join(of, 'parameters.json')

async function done(...argv: string[]): Promise<void> {
  const { code, stderr } = await run([...argv, '--backend', 'wasm'])
  if (code !== 0 || stderr !== '') throw new Error(`${argv.join(' ')}: ${code} ${stderr}`)
}

/** Bytes of a vertex of face.ply: position and normal as floats, colour as bytes. */
const PLY_VERTEX = 27

/** Bytes to compare. How sure the fit is of each vertex is no parameter of the face: only reconstruct writes it, as the last property of face.ply. */
async function content(of: string, file: string): Promise<Buffer> {
  const bytes = await readFile(join(of, file))
  if (file !== 'face.ply') return bytes
  const text = bytes.toString('latin1')
  const head = text.slice(0, text.indexOf('end_header\n') + 11)
  const extra = 'property float uncertainty\n'
  const width = PLY_VERTEX + (head.includes(extra) ? 4 : 0)
  const count = Number(/element vertex (\d+)/.exec(head)![1])
  const vertices = Array.from({ length: count }, (_, v) =>
    bytes.subarray(head.length + v * width, head.length + v * width + PLY_VERTEX),
  )
  return Buffer.concat([
    Buffer.from(head.replace(extra, '')),
    ...vertices,
    bytes.subarray(head.length + count * width),
  ])
}

/** Names of the files that differ. */
async function different(one: string, other: string, files: readonly string[]): Promise<string[]> {
  const same = await Promise.all(
    files.map(async (file) => (await content(one, file)).equals(await content(other, file))),
  )
  return files.filter((_, i) => !same[i])
}

describe('parameters.json as an interface', () => {
  it('value: facekit export writes what facekit reconstruct has written, byte by byte', async () => {
    const again = join(folder, 'again')
    await done('export', parameters(face), '-o', again, '--glb', '--obj', '--ply')
    const files = await readdir(again)
    expect(files).toEqual(
      expect.arrayContaining(['face.glb', 'face.obj', 'face-neutral.obj', 'face.ply', 'face-neutral.ply']),
    )
    expect(await different(again, face, files)).toEqual([])
  }, 60_000)

  it('value: an edited copy without changes gives the same GLB, USDZ and picture; so does an export of an export', async () => {
    const [a, b, c, again] = ['a', 'b', 'c', 'again'].map((name) => join(folder, name))
    await cp(face, b, { recursive: true })
    await rm(parameters(b))
    expect(await run(['edit', parameters(face), '-o', parameters(b)])).toMatchObject({ code: 0 })
    for (const [from, to] of [
      [face, a],
      [b, b],
    ]) {
      const flags = ['--glb', '--usdz', '--head', 'full', '--force']
      await done('export', parameters(from), '-o', to, ...flags)
      await done('render', parameters(from), '-o', join(to, 'face.png'), '--size', '128', '--yaw', '30')
    }
    expect(await different(a, b, ['face.glb', 'face.usdz', 'face.png'])).toEqual([])
    // From the maps of an export.
    await cp(parameters(face), parameters(again))
    await done('export', parameters(again), '-o', c, '--glb', '--head', 'full')
    expect(await different(a, c, ['face.glb'])).toEqual([])
  }, 120_000)
})
