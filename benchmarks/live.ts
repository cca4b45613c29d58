// Live mode: processor time of a picture, and how well pose and expression are followed.
//   node --conditions=@facekit/source --import tsx benchmarks/live.ts PHOTO [--frames 48] [--backend wasm]
// The face of PHOTO is drawn in 480 x 360 pixels, as it turns, opens its mouth, smiles and blinks at 15 pictures a second, with noise as of a camera; another
// face of the same photograph's form is moved by it. Errors are those of what the follower gives out, smoothed, against what was drawn, from the eighth picture on.
// Processor milliseconds count all threads, and nothing but the follower; wall is the time until its answer.
import { parseArgs } from 'node:util'
import { createRandom } from '@facekit/core'
import { reconstruct, type FollowedFace } from 'facekit'
import { printTable } from './benchmark.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { frames: { type: 'string', default: '48' }, backend: { type: 'string', default: 'wasm' } },
})
const [WIDTH, HEIGHT, RATE, NOISE] = [480, 360, 15, 6]
const face = await reconstruct(positionals[0], {
  backend: values.backend as 'wasm',
  networks: 'small',
  iterations: 20,
  texture: 512,
})
const names = face.parameters.expressionNames!
const random = createRandom(7)

/** What the face does at a time, seconds. */
function motion(time: number) {
  const wave = (period: number, phase = 0) => Math.sin((2 * Math.PI * (time - phase)) / period)
  const jawOpen = 0.35 * Math.max(0, wave(1.6))
  const mouthSmile = 0.6 * Math.max(0, wave(2.3, 0.4))
  const eyeBlink = Math.max(0, 1 - Math.abs(((time + 0.9) % 1.7) - 0.85) / 0.12)
  return {
    yaw: 0.4 * wave(2.9),
    pitch: 0.15 * wave(2.1),
    roll: 0.1 * wave(3.7),
    expression: {
      jawOpen,
      mouthSmileLeft: mouthSmile,
      mouthSmileRight: mouthSmile,
      eyeBlinkLeft: eyeBlink,
      eyeBlinkRight: eyeBlink,
    },
  }
}

/** A picture of the camera: the drawn face before a wall. */
async function frameAt(time: number) {
  const { yaw, pitch, roll, expression } = motion(time)
  const rest = Object.fromEntries(names.map((name) => [name, 0]))
  const drawn = await face.render({
    width: 280,
    yaw,
    pitch,
    roll,
    light: 'studio',
    expression: { ...rest, ...expression },
  })
  const data = new Uint8ClampedArray(4 * WIDTH * HEIGHT)
  const [left, top] = [(WIDTH - 280) / 2 + 30 * Math.sin(time), (HEIGHT - 280) / 2].map(Math.round)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const [u, v] = [x - left, y - top]
      const inside = u >= 0 && v >= 0 && u < 280 && v < 280
      const alpha = inside ? drawn.data[4 * (280 * v + u) + 3] / 255 : 0
      for (let c = 0; c < 3; c++) {
        const color = alpha * drawn.data[4 * (280 * v + u) + c] + (1 - alpha) * (120 + 0.1 * y)
        data[4 * (WIDTH * y + x) + c] = color + NOISE * random.normal()
      }
      data[4 * (WIDTH * y + x) + 3] = 255
    }
  return { width: WIDTH, height: HEIGHT, data }
}

const count = Number(values.frames)
const frames = []
for (let i = 0; i < count; i++) frames.push(await frameAt(i / RATE))

const follower = face.follow()
// Networks are loaded and compiled, the form of who is seen is found.
await follower.next(frames[0], 0)
const answers: (FollowedFace | undefined)[] = []
const before = process.cpuUsage()
const started = performance.now()
for (const [i, frame] of frames.entries()) answers.push(await follower.next(frame, (i + 1) / RATE))
const wall = (performance.now() - started) / count
const { user, system } = process.cpuUsage(before)

const degrees = 180 / Math.PI
const errors: Record<string, number[]> = { yaw: [], pitch: [], roll: [], jaw: [], smile: [], blink: [] }
for (const [i, answer] of answers.entries()) {
  if (!answer || i < 8) continue
  const { yaw, pitch, roll, expression } = motion(i / RATE)
  const given = (name: string) => answer.expression[names.indexOf(name)]
  const mean = (name: string) => (given(`${name}Left`) + given(`${name}Right`)) / 2
  errors.pitch.push(degrees * (answer.rotation[0] - pitch))
  errors.yaw.push(degrees * (answer.rotation[1] - yaw))
  errors.roll.push(degrees * (answer.rotation[2] - roll))
  errors.jaw.push(given('jawOpen') - expression.jawOpen)
  errors.smile.push(mean('mouthSmile') - expression.mouthSmileLeft)
  errors.blink.push(mean('eyeBlink') - expression.eyeBlinkLeft)
}
/** Root mean square, without the mean: a camera turns a face by a constant. */
const spread = (list: number[]) => {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length
  return Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length)
}
const lost = answers.filter((answer) => !answer).length
printTable([{ 'processor ms': (user + system) / 1000 / count, 'wall ms': wall, pictures: count, lost }])
printTable([
  Object.fromEntries(
    Object.entries(errors).map(([name, list]) => [
      name,
      Number(spread(list).toFixed(name.length > 4 || name === 'jaw' ? 3 : 2)),
    ]),
  ),
])
face.dispose()
process.exit(0)
