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
  expect(await run(['reconstruct', picture, '-o', join(folder, 'out'), ...flags])).toMatchObject({ code: 0 })
  face = join(folder, 'out/one/face-1')
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const parameters = (from: string) => join(from, 'parameters.json')
/** Runs a command that must succeed, silently. */
const done = async (...argv: string[]) =>
  expect(await run([...argv, '--backend', 'wasm'])).toMatchObject({ code: 0, stderr: '' })
/** What a PLY holds in its own words: vertices with positions, normals and colours. */
const withoutUncertainty = (ply: Buffer) => {
  const text = ply.toString('latin1')
  const head = text.slice(0, text.indexOf('end_header\n') + 11)
  const count = Number(/element vertex (\d+)/.exec(head)![1])
  const isThere = head.includes('property float uncertainty\n')
  const vertex = 27 + (isThere ? 4 : 0)
  const vertices = Array.from({ length: count }, (_, v) =>
    ply.subarray(head.length + v * vertex, head.length + v * vertex + 27),
  )
  return [
    head.replace('property float uncertainty\n', ''),
    Buffer.concat(vertices),
    ply.subarray(head.length + count * vertex),
  ]
}

describe('parameters.json as an interface', () => {
  it('value: facekit export writes what facekit reconstruct has written, byte by byte', async () => {
    const again = join(folder, 'again')
    await done('export', parameters(face), '-o', again, '--glb', '--obj', '--ply')
    const files = await readdir(again)
    for (const file of ['face.glb', 'face.obj', 'face-neutral.obj', 'face-neutral.ply', 'face.mtl'])
      expect(files).toContain(file)
    for (const file of files) {
      const [made, original] = [await readFile(join(again, file)), await readFile(join(face, file))]
      // How sure the fit is of each vertex is no parameter of the face: only reconstruct writes it.
      if (file === 'face.ply') expect(withoutUncertainty(made)).toEqual(withoutUncertainty(original))
      else expect(made.equals(original), file).toBe(true)
    }
  }, 60_000)

  it('value: an edited copy without changes gives the same GLB, USDZ and picture; so does an export of an export', async () => {
    const copy = join(folder, 'copy')
    await cp(face, copy, { recursive: true })
    await rm(parameters(copy))
    const { code } = await run(['edit', parameters(face), '-o', parameters(copy)])
    expect(code).toBe(0)
    for (const [from, to] of [
      [face, 'a'],
      [copy, 'b'],
    ]) {
      await done('export', parameters(from), '-o', join(folder, to), '--glb', '--usdz', '--head', 'full')
      await done('render', parameters(from), '-o', join(folder, `${to}.png`), '--size', '128', '--yaw', '30')
    }
    for (const file of ['face.glb', 'face.usdz'])
      expect((await readFile(join(folder, 'a', file))).equals(await readFile(join(folder, 'b', file)))).toBe(
        true,
      )
    expect((await readFile(join(folder, 'a.png'))).equals(await readFile(join(folder, 'b.png')))).toBe(true)
    // From an export's own maps.
    await cp(parameters(face), parameters(join(folder, 'again')))
    await done(
      'export',
      parameters(join(folder, 'again')),
      '-o',
      join(folder, 'c'),
      '--glb',
      '--head',
      'full',
    )
    expect(
      (await readFile(join(folder, 'a/face.glb'))).equals(await readFile(join(folder, 'c/face.glb'))),
    ).toBe(true)
  }, 60_000)
})
