// Reconstructs a photograph on several backends, and says by how much each output differs from that of WASM. See docs/reliability.md.
//
//   node --conditions=@facekit/source --import tsx scripts/faults/backend-differences.ts [--photo file] [--face 1] [--texture 256] [--method regress] [backend ...]
//
// Ends with 1 when a difference is above its bound.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { runCommand } from './run-command.js'

/** Largest differences that rounding may make, by output: of one number, and on average. */
const BOUNDS: Record<string, { unit: string; most: number; mean: number }> = {
  landmarks: { unit: 'px', most: 0.02, mean: 0.002 },
  vertices: { unit: 'mm', most: 0.01, mean: 0.001 },
  parameters: { unit: '', most: 0.02, mean: 0.001 },
  maps: { unit: 'of 255', most: 4, mean: 0.05 },
  'panels.png': { unit: 'of 255', most: 4, mean: 0.05 },
}

/** Numbers of one kind of output. */
type Outputs = Record<string, number[]>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    photo: { type: 'string', default: 'node_modules/@vladmandic/face-api/demo/sample5.jpg' },
    face: { type: 'string', default: '1' },
    texture: { type: 'string', default: '256' },
    method: { type: 'string', default: 'regress' },
  },
})
const root = await mkdtemp(join(tmpdir(), 'facekit-backends-'))

async function reconstruct(backend: string): Promise<Outputs | string> {
  const out = join(root, backend)
  const { photo, face, texture, method } = values
  const ending = await runCommand(
    ['reconstruct', photo, '-o', out, '--backend', backend, '--method', method].concat(
      ['--texture', texture, '--face', face],
      method === 'regress' ? [] : ['--iterations', '5'],
    ),
  )
  if (ending.code !== 0) return ending.stderr.trim().split('\n').at(-1) ?? ''
  console.log(`${backend}: ${(ending.milliseconds / 1000).toFixed(1)} s`)
  const files = await readdir(out, { recursive: true })
  const folder = join(
    out,
    files.find((file) => file.endsWith('parameters.json'))!,
    '..',
  )
  const file = JSON.parse(await readFile(join(folder, 'parameters.json'), 'utf8')) as {
    landmarks: number[][]
    parameters?: unknown
  }
  const outputs: Outputs = {
    landmarks: file.landmarks.flat(),
    parameters: numbersIn(file.parameters ?? file),
    vertices: (await readFile(join(folder, 'face.obj'), 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('v '))
      .flatMap((line) => line.split(' ').slice(1, 4).map(Number)),
    maps: [],
    'panels.png': [],
  }
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.png')).sort()) {
    const pixels = await sharp(join(folder, name)).removeAlpha().raw().toBuffer()
    const kind = name === 'panels.png' ? name : 'maps'
    for (const value of pixels) outputs[kind].push(value)
  }
  return outputs
}

/** All numbers in a value, in its order; times differ by nature. */
function numbersIn(value: unknown, key = ''): number[] {
  if (typeof value === 'number') return key === 'seconds' ? [] : [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => numbersIn(each, name))
}

try {
  const expected = await reconstruct('wasm')
  if (typeof expected === 'string') throw new Error(`wasm: ${expected}`)
  let failures = 0
  for (const backend of positionals.length > 0 ? positionals : ['cpu', 'webgpu']) {
    const found = await reconstruct(backend)
    if (typeof found === 'string') {
      console.log(`${backend}: skipped: ${found}`)
      continue
    }
    for (const [kind, { unit, most, mean }] of Object.entries(BOUNDS)) {
      const [a, b] = [expected[kind], found[kind]]
      if (a.length !== b.length || a.length === 0) {
        console.error(`FAILED: ${backend}: ${kind}: ${b.length} numbers, wasm has ${a.length}`)
        failures++
        continue
      }
      const differences = a.map((value, i) => Math.abs(value - b[i]))
      const largest = differences.reduce((max, value) => Math.max(max, value), 0)
      const average = differences.reduce((sum, value) => sum + value / a.length, 0)
      const isFine = largest <= most && average <= mean
      if (!isFine) failures++
      console.log(
        `${isFine ? 'ok' : 'FAILED'} ${backend.padEnd(8)} ${kind.padEnd(12)} ${a.length} numbers: at most ${largest.toPrecision(2)} ${unit}, on average ${average.toPrecision(2)}`,
      )
    }
  }
  process.exitCode = failures > 0 ? 1 : 0
} finally {
  await rm(root, { recursive: true, force: true })
}
