// Does one thing very often in one process, and watches what the process holds: tensors, their bytes, memory, open files, files in the
// temporary folder. Ends with 1 when something grows. See docs/reliability.md.
//
//   npm run soak -- [--count n] [--minutes n] [--seed 0] [--texture 64] [--method fit] [--mesh-every 1] training | reconstructions | at-once |
//     kernels | pictures | processes
//
// training: steps of a small network on rendered faces (10,000). reconstructions: one after the other (1,000). at-once: all asked for in the
// same moment (50), each compared with one that had the process to itself. Parts of them alone: kernels (convolutions of 16 threads), pictures (decoded),
// processes (that compute with 16 threads, and end). --minutes ends all but training and at-once early; --seed takes other crops of the
// photograph; --texture: pixels of the maps made of it, or none; --method: fit or
// regress; --mesh-every: of how many reconstructions one is made into a GLB as well.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { soakAtOnce, soakReconstructions, type SoakOptions } from './soak-reconstructions.js'
import { soakKernels, soakPictures, soakProcesses } from './soak-parts.js'
import { soakTraining } from './soak-training.js'
import { Watch } from './watch.js'

const soaks: Record<
  string,
  { count: number; run: (count: number, watch: Watch, options: SoakOptions) => Promise<void> }
> = {
  training: { count: 10_000, run: soakTraining },
  reconstructions: { count: 1000, run: soakReconstructions },
  'at-once': { count: 50, run: soakAtOnce },
  kernels: { count: 10_000, run: soakKernels },
  pictures: { count: 10_000, run: soakPictures },
  processes: { count: 400, run: soakProcesses },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    minutes: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '0' },
    texture: { type: 'string', default: '64' },
    method: { type: 'string', default: 'fit' },
    'mesh-every': { type: 'string', default: '1' },
  },
})
const soak = soaks[positionals[0]]
if (!soak) {
  console.error(`soak: expected one of ${Object.keys(soaks).join(', ')}, got "${positionals[0] ?? ''}"`)
  process.exit(1)
}
const count = Number(values.count ?? soak.count)
// What is left in it is this process's.
const temporary = mkdtempSync(join(tmpdir(), 'facekit-soak-'))
process.env.TMPDIR = temporary
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
const watch = new Watch(count)
const deadline = performance.now() + 60_000 * Number(values.minutes)
const method = values.method === 'regress' ? 'regress' : 'fit'
const texture = values.texture === 'none' ? 'none' : Number(values.texture)
await soak.run(count, watch, {
  deadline,
  seed: Number(values.seed),
  texture,
  method,
  meshEvery: Number(values['mesh-every']),
})
const problems = watch.problems()
for (const problem of problems) console.error(`FAILED: ${positionals[0]}: ${problem}`)
console.log(`${positionals[0]}: ${watch.done} of ${count}, ${problems.length} problems`)
process.exit(problems.length > 0 ? 1 : 0)
