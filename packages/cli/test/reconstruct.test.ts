import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { readSafetensors, writeSafetensors } from '@facekit/core'
import { encodeMorphableModel } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import { decode } from 'fast-png'
import { validateBytes } from 'gltf-validator'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParametersFile, ReconstructReport } from '@facekit/cli'
import { photograph, writeBadPictures, writeCrop } from './pictures.js'
import { run, type CliResult } from './run-in-process.js'
import { spawnCli } from './spawn-cli.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const FILES = [
  'face-diffuse.png',
  'face-mouth.png',
  'face-neutral.obj',
  'face-neutral.ply',
  'face-specular.png',
  'face-uncertainty.png',
  'face.glb',
  'face.mtl',
  'face.obj',
  'face.ply',
  'index.html',
  'panels.png',
  'parameters.json',
]
/** One face of a photograph of four. */
const FACE = { x: 1385, y: 160, width: 410, height: 500 }
/** That one and its neighbour. */
const TWO_FACES = { x: 1080, y: 160, width: 715, height: 500 }

let folder: string
let one: string
let two: string
let bad: Record<string, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-reconstruct-'))
  bad = await writeBadPictures(folder)
  one = await writeCrop(photograph(6), join(folder, 'one.png'), FACE)
  two = await writeCrop(photograph(6), join(folder, 'two.png'), TWO_FACES)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const errorsOf = ({ stderr }: CliResult) => stderr.split('\n').filter((line) => line.startsWith('facekit: '))
const noStack = ({ stderr }: CliResult) => !/\n\s+at .*\.(ts|js):/.test(stderr)

describe('facekit reconstruct, in a process of its own', () => {
  let out: string
  let result: CliResult
  let face: string
  let parameters: ParametersFile

  beforeAll(async () => {
    out = join(folder, 'whole')
    const options = ['--iterations', '5', '--texture', 'none', '--size', '128', '--focal', '50', '--json']
    result = await spawnCli(['reconstruct', one, '-o', out, ...options])
    face = join(out, 'one', 'face-1')
    parameters = JSON.parse(await readFile(join(face, 'parameters.json'), 'utf8')) as ParametersFile
  })

  it('value: --json prints one document and nothing else', () => {
    expect(result.code).toBe(0)
    const report = JSON.parse(result.stdout) as ReconstructReport
    expect(Object.keys(report)).toEqual(['backend', 'model', 'pictures', 'seconds'])
    expect(report.pictures).toHaveLength(1)
    const [{ picture, faces, errors }] = report.pictures
    expect([picture, faces.length, errors]).toEqual([one, 1, []])
    expect(faces[0].files).toEqual(FILES)
    expect(faces[0].folder).toBe(face)
    expect(Object.keys(report.seconds).toSorted()).toEqual(
      ['annotate', 'engine', 'fit', 'model', 'read', 'render', 'texture', 'total', 'write'].toSorted(),
    )
  })

  it('value: all files are there, and nothing temporary', async () => {
    expect(await readdir(out)).toEqual(['one'])
    expect(await readdir(join(out, 'one'))).toEqual(['face-1'])
    expect((await readdir(face)).toSorted()).toEqual(FILES)
  })

  it('value: parameters.json holds coefficients, camera, crop, landmarks and metrics', () => {
    expect(parameters.version).toBe(1)
    expect(parameters.picture).toEqual({ file: one, width: FACE.width, height: FACE.height })
    expect([parameters.identity, parameters.expression, parameters.albedo].map((c) => c.length)).toEqual([
      80, 52, 52,
    ])
    const { rotation, translation, scale } = parameters.pose
    expect([...rotation, ...translation, scale].every(Number.isFinite)).toBe(true)
    expect(parameters.illumination.sphericalHarmonics.map((row) => row.length)).toEqual(Array(9).fill(3))
    expect(parameters.illumination.shininess).toBeGreaterThan(0)
    expect(parameters.camera.projection).toBe('perspective')
    expect(parameters.crop.size).toBe(224)
    expect(parameters.crop.transform.translation).toHaveLength(2)
    expect(parameters.landmarks).toHaveLength(68)
    for (const [x, y] of parameters.landmarks) {
      expect(x).toBeGreaterThan(0)
      expect(x).toBeLessThan(FACE.width)
      expect(y).toBeGreaterThan(0)
      expect(y).toBeLessThan(FACE.height)
    }
    const { focalLength, landmarks3d, gaze } = parameters
    expect(focalLength.source).toBe('given')
    expect(focalLength.pixels).toBeCloseTo((50 / Math.hypot(36, 24)) * Math.hypot(FACE.width, FACE.height), 3)
    expect(landmarks3d.map((point) => point.length)).toEqual(Array(68).fill(3))
    // The points inside of the face are the same ones.
    for (let i = 17; i < 68; i++)
      for (const axis of [0, 1]) expect(landmarks3d[i][axis]).toBeCloseTo(parameters.landmarks[i][axis], 2)
    // Corners of eyes and ends of the jaw lie behind it.
    for (const i of [0, 16, 36, 45]) expect(landmarks3d[i][2]).toBeLessThan(landmarks3d[30][2])
    for (const eye of [gaze!.left, gaze!.right]) {
      expect(Math.hypot(...eye)).toBeCloseTo(1, 5)
      expect(eye[2]).toBeGreaterThan(0.7)
    }
    expect(parameters.metrics.landmarkError).toBeLessThan(0.05)
    expect(parameters.metrics.colorError).toBeLessThan(0.2)
    expect(parameters.metrics.iterations).toBe(5)
  })

  it('value: parameters.json names its expressions, and facekit render draws the same face from it', async () => {
    expect(parameters.expressionNames).toHaveLength(parameters.expression.length)
    expect(parameters.expressionNames?.[0]).toBe('jawOpen')
    const again = join(folder, 'again.png')
    const flags = ['--size', '448', '--backend', parameters.backend]
    const { code } = await run(['render', join(face, 'parameters.json'), '-o', again, ...flags])
    expect(code).toBe(0)
    const [shown, panels] = [decode(await readFile(again)), decode(await readFile(join(face, 'panels.png')))]
    let largest = 0
    for (let y = 0; y < 448; y++) {
      for (let i = 0; i < 3 * 448; i++) {
        const panel = panels.data[3 * ((y + 28) * panels.width + 4 + 5 * 452) + i]
        largest = Math.max(largest, Math.abs(panel - shown.data[3 * 448 * y + i]))
      }
    }
    // The file keeps eight digits: a step of rounding, or an outline's pixel.
    expect(largest).toBeLessThanOrEqual(2)
  })

  it('value: the pose formula of the README takes the tip of the nose to where landmarks has it', async () => {
    const { identity, expression, pose, camera, crop } = parameters
    const model = await loadBaseModel()
    const tip = model.landmarks[30]
    const v = [0, 1, 2].map((axis) => {
      const at = (basis: { data: Float32Array }, k: number) =>
        basis.data[(k * model.vertexCount + tip) * 3 + axis]
      const moved = (basis: { data: Float32Array }, coefficients: number[]) =>
        coefficients.reduce((sum, coefficient, k) => sum + coefficient * at(basis, k), 0)
      const { shape } = model
      return (
        at(shape.mean, 0) +
        moved(shape.identity, identity) +
        moved(shape.expression, expression) +
        pose.translation[axis]
      )
    })
    const [cp, cy, cr] = pose.rotation.map(Math.cos)
    const [sp, sy, sr] = pose.rotation.map(Math.sin)
    const apply = (rows: number[][], point: number[]) =>
      rows.map((row) => row.reduce((sum, value, i) => sum + value * point[i], 0))
    const pitched = apply(
      [
        [1, 0, 0],
        [0, cp, -sp],
        [0, sp, cp],
      ],
      v,
    )
    const turned = apply(
      [
        [cy, 0, sy],
        [0, 1, 0],
        [-sy, 0, cy],
      ],
      pitched,
    )
    const posed = apply(
      [
        [cr, -sr, 0],
        [sr, cr, 0],
        [0, 0, 1],
      ],
      turned,
    ).map((x) => pose.scale * x)
    const focal = crop.size / 2 / Math.tan(camera.fieldOfView / 2)
    const x = crop.size / 2 + (focal * posed[0]) / (camera.distance - posed[2])
    const y = crop.size / 2 - (focal * posed[1]) / (camera.distance - posed[2])
    // Back from the crop: R(-rotation) (p' - translation) / scale.
    const { scale, rotation, translation } = crop.transform
    const [dx, dy] = [(x - translation[0]) / scale, (y - translation[1]) / scale]
    const [c, s] = [Math.cos(rotation), Math.sin(rotation)]
    expect(c * dx + s * dy).toBeCloseTo(parameters.landmarks[30][0], 2)
    expect(c * dy - s * dx).toBeCloseTo(parameters.landmarks[30][1], 2)
  })

  it('value: the mesh is valid glTF, the panels are seven pictures', async () => {
    const { issues } = await validateBytes(new Uint8Array(await readFile(join(face, 'face.glb'))))
    expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0])
    const { width, height } = decode(await readFile(join(face, 'panels.png')))
    expect([width, height]).toEqual([7 * 452 + 4, 480])
  })

  it.skipIf(!existsSync(CHROMIUM))('value: the page shows what the renderer drew', async () => {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    })
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
      await page.goto(pathToFileURL(join(face, 'index.html')).href)
      await page.waitForFunction(() => document.documentElement.dataset.facekit)
      await page.evaluate(async () => {
        const viewer = document.querySelector('facekit-viewer')!
        viewer.removeAttribute('controls')
        viewer.removeAttribute('photograph')
        viewer.style.cssText =
          'position: fixed; inset: 0 auto auto 0; width: 448px; height: 448px; border: 0; border-radius: 0; background: #000'
        document.body.append(viewer)
        await new Promise((resolve) => setTimeout(resolve, 500))
        await viewer.whenDrawn()
      })
      const shown = decode(await page.locator('facekit-viewer').screenshot())
      const panels = decode(await readFile(join(face, 'panels.png')))
      expect([shown.width, shown.height]).toEqual([448, 448])
      let [sum, count] = [0, 0]
      for (let y = 0; y < 448; y++) {
        for (let x = 0; x < 448; x++) {
          const lit = 3 * ((y + 28) * panels.width + 4 + 5 * 452 + x)
          if (panels.data[lit] < 8) continue // background and mouth
          for (let c = 0; c < 3; c++) {
            sum += Math.abs(panels.data[lit + c] - shown.data[shown.channels * (y * 448 + x) + c])
            count++
          }
        }
      }
      expect(count).toBeGreaterThan(100_000)
      // Shading at each pixel there and at each vertex here, and other edges.
      expect(sum / count).toBeLessThan(2)
    } finally {
      await browser.close()
    }
  })

  it('value: Ctrl-C in the middle of the fit ends with 130 and leaves nothing', async () => {
    const target = join(folder, 'interrupted', 'deep')
    let pressed = false
    const stopped = await spawnCli(
      ['reconstruct', one, '-o', target, '--iterations', '100000'],
      (text, child) => {
        if (pressed || !text.includes('fitting')) return
        pressed = true
        setTimeout(() => child.kill('SIGINT'), 1500)
      },
    )
    expect(pressed).toBe(true)
    expect(stopped.code).toBe(130)
    expect(errorsOf(stopped)).toEqual(['facekit: interrupted'])
    expect(noStack(stopped)).toBe(true)
    expect(existsSync(join(folder, 'interrupted'))).toBe(false)
  })
})

describe('facekit reconstruct', () => {
  const quick = ['--iterations', '0', '--texture', 'none', '--size', '64']

  it('throws: pictures without a face, and one too small for any', async () => {
    const out = join(folder, 'out-none')
    const result = await run(['reconstruct', bad.grey, bad.tiny, '-o', out])
    expect(result.code).toBe(1)
    expect(errorsOf(result)).toHaveLength(3)
    expect(errorsOf(result)[0]).toMatch(/grey\.png: no face found/)
    expect(errorsOf(result)[1]).toMatch(/tiny\.png: /)
    expect(existsSync(out)).toBe(false)
  })

  it('value: all faces of a picture, in numbered folders; an error in one picture does not lose the others', async () => {
    const out = join(folder, 'out-all')
    const result = await run(['reconstruct', bad.text, two, '-o', out, ...quick])
    expect(errorsOf(result)).toHaveLength(2)
    expect(result.code).toBe(1)
    expect((await readdir(join(out, 'two'))).toSorted()).toEqual(['face-1', 'face-2'])
    expect(result.stdout.trim().split('\n')).toHaveLength(2)
    expect(result.stdout).toMatch(/two\.png: face 1: landmark error \d+\.\d+ %/)
    const page = await readFile(join(out, 'two', 'face-2', 'index.html'), 'utf8')
    expect(page).toContain('face 2')
  })

  it('value: maps of the photograph are of the size that --texture says, and sharper than the colours of the model', async () => {
    const sharpness = async (name: string, texture: string) => {
      const out = join(folder, name)
      const options = ['--iterations', '0', '--texture', texture, '--size', '256']
      expect((await run(['reconstruct', one, '-o', out, ...options])).code).toBe(0)
      const { data, width } = decode(await readFile(join(out, 'one', 'face-1', 'face-diffuse.png')))
      expect(width).toBe(256)
      let sum = 0
      for (let y = 64; y < 192; y++)
        for (let x = 64; x < 192; x++) sum += Math.abs(data[3 * (y * 256 + x)] - data[3 * (y * 256 + x + 1)])
      return sum
    }
    expect(await sharpness('out-photograph', '256')).toBeGreaterThan(
      1.5 * (await sharpness('out-colors', 'none')),
    )
    const bad = await run(['reconstruct', one, '-o', join(folder, 'out-bad'), '--texture', '1000'])
    expect(bad.code).not.toBe(0)
    expect(bad.stderr).toContain('256, 512, 1024, 2048, 4096 or none')
  })

  it('value: --face takes one; too large a number says how many there are', async () => {
    const out = join(folder, 'out-second')
    expect((await run(['reconstruct', two, '-o', out, '--face', '2', ...quick])).code).toBe(0)
    expect(await readdir(join(out, 'two'))).toEqual(['face-2'])
    const result = await run(['reconstruct', one, '-o', join(folder, 'out'), '--face', '7', ...quick])
    expect(result.code).toBe(1)
    expect(errorsOf(result)[0]).toMatch(/one\.png: --face is 7, but one face was found/)
  })

  it('value: a face half outside is reconstructed, or one line says why not', async () => {
    const half = { ...FACE, x: FACE.x + 205, width: 205 }
    const cut = await writeCrop(photograph(6), join(folder, 'half.png'), half)
    const out = join(folder, 'out-half')
    const result = await run(['reconstruct', cut, '-o', out, ...quick])
    expect(noStack(result)).toBe(true)
    expect(errorsOf(result)).toHaveLength(result.code)
    expect(existsSync(join(out, 'half', 'face-1', 'face.glb'))).toBe(result.code === 0)
  })

  it('value: --force replaces the results of an earlier run, the same name twice gets a number', async () => {
    const out = join(folder, 'out-twice')
    await mkdir(join(out, 'one', 'face-9'), { recursive: true })
    const again = join(folder, 'again')
    await mkdir(again)
    const copy = await writeCrop(photograph(6), join(again, 'one.png'), FACE)
    const result = await run(['reconstruct', one, copy, '-o', out, '--force', ...quick])
    expect(result.code).toBe(0)
    expect((await readdir(out)).toSorted()).toEqual(['one', 'one-2'])
    expect(await readdir(join(out, 'one'))).toEqual(['face-1'])
    const refused = await run(['reconstruct', one, '-o', out, ...quick])
    expect([refused.code, errorsOf(refused).length]).toEqual([1, 1])
  })

  it('value: an interrupt before the fit is honoured in this process, too', async () => {
    const controller = new AbortController()
    const out = join(folder, 'out-abort')
    const job = run(['reconstruct', one, '-o', out, ...quick], { signal: controller.signal })
    controller.abort(new Error('interrupted'))
    expect(await job).toEqual({ code: 130, stdout: '', stderr: 'facekit: interrupted\n' })
    expect(existsSync(out)).toBe(false)
  })

  it('value: people get a progress bar', async () => {
    const { code, stderr } = await run(['reconstruct', bad.grey, '-o', join(folder, 'out')], { isTTY: true })
    expect(code).toBe(1)
    expect(stderr).toContain('facekit: ')
  })
})

describe('facekit reconstruct --model', () => {
  /** Writes the tiny model after a change to its file. */
  async function writeModel(name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
    const path = join(folder, `${name}.safetensors`)
    await writeFile(path, change(encodeMorphableModel(createTinyFace())))
    return path
  }

  const models: [string, (bytes: Uint8Array) => Uint8Array, RegExp][] = [
    ['truncated', (bytes) => bytes.subarray(0, bytes.length / 2), /truncated/],
    ['foreign', () => new TextEncoder().encode('solid cube'), /foreign\.safetensors/],
    [
      'of another version',
      (bytes) => {
        const { metadata, tensors } = readSafetensors(bytes, 'test')
        return writeSafetensors({ tensors, metadata: { ...metadata, version: '99' } })
      },
      /version.*99/,
    ],
    [
      'with NaN',
      (bytes) => {
        const { metadata, tensors } = readSafetensors(bytes, 'test')
        tensors.get('shape.mean')!.data[5] = Number.NaN
        return writeSafetensors({ tensors, metadata })
      },
      /shape\.mean.*NaN|finite/,
    ],
    [
      'of absurd size',
      () => {
        const header = '{"shape.mean":{"dtype":"F32","shape":[4000000000,3],"data_offsets":[0,48000000000]}}'
        const bytes = new Uint8Array(8 + header.length)
        new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
        bytes.set(new TextEncoder().encode(header), 8)
        return bytes
      },
      /absurd/,
    ],
  ]
  it.each(models)('throws: a model file that is %s', async (name, change, message) => {
    const path = await writeModel(name.replaceAll(' ', '-').replace('of-absurd-size', 'absurd'), change)
    const out = join(folder, 'out-model')
    const result = await run(['reconstruct', one, '-o', out, '--model', path])
    expect(result.code).toBe(1)
    expect(errorsOf(result)).toHaveLength(1)
    expect(errorsOf(result)[0]).toMatch(message)
    expect(noStack(result)).toBe(true)
    expect(existsSync(out)).toBe(false)
  })

  it('throws: no such model', async () => {
    const result = await run(['reconstruct', one, '-o', join(folder, 'out'), '--model', 'marble'])
    expect(errorsOf(result)).toEqual([
      'facekit: --model: "marble" is neither a model nor a file, expected "base", "scans", "learned", "synthetic", a .safetensors, .h5, .mat, .npz, .pkl or .json file, the folder of ICT-FaceKit, or one of meshes',
    ])
  })
})
