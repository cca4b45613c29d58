import { spawnSync, type ChildProcess } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@facekit/testing'
import { unzipSync } from 'fflate'
import { validateBytes } from 'gltf-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeMovingFace, type MovedFace } from './moving-face.js'
import { run } from './run-in-process.js'
import { spawnCli } from './spawn-cli.js'

const FPS = 10
interface TrackedFrame {
  time: number
  found: boolean
  weights: number[]
  pose: { rotation: number[]; translation: number[]; scale: number }
  landmarks: [number, number][]
}
interface TrackJson {
  weightNames: string[]
  transform: { scale: number }
  frames: TrackedFrame[]
}

let folder: string
let made: MovedFace[]
const at = (name: string) => join(folder, name)
const json = async (name: string) => JSON.parse(await readFile(at(name), 'utf8'))

beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-clip-'))
  made = await writeMovingFace(at('clip'))
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs the command until a file has so many lines, and kills it. */
async function killedAfter(
  argv: readonly string[],
  file: string,
  lines: number,
): Promise<{ killed: boolean }> {
  let killed = false
  const ended = new AbortController()
  const watch = async (child: ChildProcess) => {
    while (!ended.signal.aborted && !killed) {
      const text = await readFile(file, 'utf8').catch(() => '')
      if (text.split('\n').length > lines) killed = child.kill('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  let watcher: Promise<void> | undefined
  await spawnCli(argv, (_, child) => (watcher ??= watch(child)))
  ended.abort()
  await watcher
  return { killed }
}

const trackArgs = (out: string) => [
  'track',
  at('clip'),
  '-o',
  at(out),
  '--fps',
  String(FPS),
  '--backend',
  'wasm',
  '--json',
]

describe('facekit track on a clip of a rendered face', () => {
  let found: TrackJson
  let frames: TrackedFrame[]
  const weight = (frame: TrackedFrame, name: string) => frame.weights[found.weightNames.indexOf(name)]

  it('smoke: killed in the middle, it goes on, and gives what it gives undisturbed', async () => {
    const { killed } = await killedAfter(trackArgs('a').slice(0, -1), at('a/.track/frames.jsonl'), 5)
    expect(killed).toBe(true)
    await expect(stat(at('a/track.json'))).rejects.toThrow(/ENOENT/)
    // The same person, all pictures anew.
    await cp(at('a'), at('b'), { recursive: true })
    await rm(at('b/.track/frames.jsonl'))
    const reports = []
    for (const out of ['a', 'b']) {
      const { code, stdout, stderr } = await run(trackArgs(out))
      expect(stderr).toBe('')
      expect(code).toBe(0)
      reports.push(JSON.parse(stdout))
    }
    expect(reports[0]).toMatchObject({ frames: made.length, lost: 3, backend: 'wasm' })
    expect(reports[0].files.toSorted()).toEqual([
      'face.glb',
      'parameters.json',
      'track.csv',
      'track.json',
      'track.npz',
    ])
    for (const file of reports[0].files)
      expect((await readFile(at(`a/${file}`))).equals(await readFile(at(`b/${file}`)))).toBe(true)
    found = await json('b/track.json')
    frames = found.frames
  }, 900_000)

  it('value: lost only where it was covered, found in the next picture', () => {
    expect(frames.map((frame) => frame.found)).toEqual(made.map(({ covered }) => !covered))
    expect(frames.map(({ time }) => time)).toEqual(made.map((_, i) => expect.closeTo(i / FPS, 6)))
  })

  it('value: landmarks, turns and expressions are those that were rendered', () => {
    const unit = found.transform.scale
    const errors: number[] = []
    for (const [i, frame] of frames.entries()) {
      if (!frame.found) continue
      const truth = made[i]
      const away = frame.landmarks.map(([x, y], k) =>
        Math.hypot(x - truth.landmarks[2 * k], y - truth.landmarks[2 * k + 1]),
      )
      errors.push((unit * away.reduce((sum, value) => sum + value, 0)) / 68)
      expect(Math.abs(frame.pose.rotation[1] - truth.yaw)).toBeLessThan(0.1)
    }
    // Pixels of a crop of 224.
    expect(Math.max(...errors)).toBeLessThan(4)
    const opened = frames[14]
    expect(weight(opened, 'jawOpen')).toBeGreaterThan(0.35)
    expect(weight(frames[4], 'jawOpen')).toBeLessThan(0.15)
    const smile = (frame: TrackedFrame) => weight(frame, 'mouthSmileLeft') + weight(frame, 'mouthSmileRight')
    expect(smile(frames[20])).toBeGreaterThan(smile(frames[4]) + 0.5)
    const all = frames.flatMap((frame) => (frame.found ? frame.weights : []))
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...all)).toBeLessThanOrEqual(1)
  })

  it('value: at rest landmarks tremble by less than 0.3 pixels at 224', () => {
    const still = frames.slice(0, 9).map(({ landmarks }) => landmarks.flat())
    const mean = still[0].map((_, k) => still.reduce((sum, points) => sum + points[k], 0) / still.length)
    const squares = still.flatMap((points) => points.map((value, k) => (value - mean[k]) ** 2))
    const jitter = Math.sqrt((2 * squares.reduce((sum, value) => sum + value, 0)) / squares.length)
    expect(found.transform.scale * jitter).toBeLessThan(0.3)
    expect(jitter).toBeGreaterThan(0)
  })

  it('value: CSV and NPZ say what JSON says', async () => {
    const [header, ...lines] = (await readFile(at('b/track.csv'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split(','))
    const npz = unzipSync(await readFile(at('b/track.npz')))
    const array = (name: string) => {
      const bytes = npz[`${name}.npy`]
      const start = 10 + bytes[8] + 256 * bytes[9]
      const type = /'descr': '([^']+)'/.exec(String.fromCharCode(...bytes.subarray(10, start)))![1]
      const { buffer } = bytes.slice(start)
      return type === '<f8'
        ? new Float64Array(buffer)
        : type === '<f4'
          ? new Float32Array(buffer)
          : new Uint8Array(buffer)
    }
    const [weights, landmarks, rotation, seen] = ['weights', 'landmarks', 'rotation', 'found'].map(array)
    expect(lines).toHaveLength(frames.length)
    expect(seen).toHaveLength(frames.length)
    const cell = (i: number, name: string) => lines[i][header.indexOf(name)]
    expect([...seen]).toEqual(frames.map((frame) => Number(frame.found)))
    const lost = frames.flatMap((frame, i) => (frame.found ? [] : [i]))
    for (const i of lost) {
      expect(cell(i, 'jawOpen')).toBe('')
      expect(weights[52 * i]).toBeNaN()
    }
    for (const [i, frame] of frames.entries()) {
      if (lost.includes(i)) continue
      for (const [k, name] of found.weightNames.entries()) {
        expect(Number(cell(i, name))).toBe(frame.weights[k])
        expect(weights[52 * i + k]).toBeCloseTo(frame.weights[k], 5)
      }
      expect(Number(cell(i, 'yaw'))).toBe(frame.pose.rotation[1])
      expect(rotation[3 * i + 1]).toBeCloseTo(frame.pose.rotation[1], 5)
      for (let k = 0; k < 68; k++) expect(landmarks[136 * i + 2 * k]).toBeCloseTo(frame.landmarks[k][0], 2)
    }
  })

  it('value: the GLB is valid, and its animation is the track', async () => {
    const glb = await readFile(at('b/face.glb'))
    const { issues } = await validateBytes(glb)
    expect(issues.numErrors).toBe(0)
    const length = glb.readUInt32LE(12)
    const document = JSON.parse(glb.toString('utf8', 20, 20 + length))
    const bin = glb.subarray(20 + length + 8)
    const numbers = (index: number) => {
      const { bufferView, byteOffset = 0, count, type } = document.accessors[index]
      const width = { SCALAR: 1, VEC3: 3, VEC4: 4 }[type as 'SCALAR']
      const start = (document.bufferViews[bufferView].byteOffset ?? 0) + byteOffset
      return new Float32Array(
        bin.buffer.slice(bin.byteOffset + start, bin.byteOffset + start + 4 * count * width),
      )
    }
    const [{ channels, samplers }] = document.animations
    const channel = (path: string) =>
      samplers[channels.find(({ target }: { target: { path: string } }) => target.path === path).sampler]
    const kept = frames.filter((frame) => frame.found)
    expect([...numbers(channel('weights').input)]).toEqual(kept.map(({ time }) => expect.closeTo(time, 5)))
    const weights = numbers(channel('weights').output)
    expect(document.meshes[0].extras.targetNames).toEqual(found.weightNames)
    kept.forEach((frame, i) => {
      frame.weights.forEach((value, k) => expect(weights[52 * i + k]).toBeCloseTo(value, 5))
    })
    const scales = numbers(channel('scale').output)
    kept.forEach(({ pose }, i) => expect(scales[3 * i]).toBeCloseTo(pose.scale, 5))
  })
})

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

describe.skipIf(!hasFfmpeg)('facekit track on a video (needs ffmpeg)', () => {
  it('value: each picture once, at its own time, with the face where the pictures have it', async () => {
    // Times of 0, 0.1, 0.2, and after a gap of a second 1.3; BT.709 by its tag.
    const input = ['-v', 'error', '-framerate', '10', '-i', at('clip/picture-%d.png'), '-frames:v', '4']
    const gap = "settb=1/1000,setpts='if(lt(N,3),N,N+10)*100',scale=out_color_matrix=bt709:out_range=tv"
    const times = ['-vf', gap, '-fps_mode', 'vfr', '-enc_time_base', '1/1000']
    const codec = ['-c:v', 'libx264', '-crf', '4', '-pix_fmt', 'yuv444p', '-colorspace', 'bt709']
    const coding = spawnSync('ffmpeg', [...input, ...times, ...codec, at('clip.mp4')])
    expect(coding.stderr.toString()).toBe('')
    const { code, stderr } = await run([
      'track',
      at('clip.mp4'),
      '-o',
      at('video'),
      '--backend',
      'wasm',
      '--json',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { frames } = (await json('video/track.json')) as TrackJson
    expect(frames.map(({ time }) => time)).toEqual([0, 0.1, 0.2, 1.3].map((time) => expect.closeTo(time, 3)))
    for (const [i, { landmarks }] of frames.entries()) {
      const away = landmarks.map(([x, y], k) =>
        Math.hypot(x - made[i].landmarks[2 * k], y - made[i].landmarks[2 * k + 1]),
      )
      expect(away.reduce((sum, value) => sum + value, 0) / 68).toBeLessThan(6)
    }
  }, 600_000)

  it('throws: a video that is cut off is told, not tracked as far as it goes', async () => {
    const bytes = await readFile(at('clip.mp4'))
    await writeFile(at('cut.mp4'), bytes.subarray(0, bytes.length / 2))
    const { code, stderr } = await run(['track', at('cut.mp4'), '-o', at('cut')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/cut\.mp4/)
    await expect(stat(at('cut/track.json'))).rejects.toThrow(/ENOENT/)
  })
})
