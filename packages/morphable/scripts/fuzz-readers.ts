// Reads thousands of damaged files of each format: each must give a typed error or a valid model, never a crash, a hang, or memory
// past 2 GB.
//
//   node --conditions=@facekit/source --import tsx packages/morphable/scripts/fuzz-readers.ts [mutations, default 2000] [format ...]
//
// With DIRECT=1 HDF5 is read in this thread, as in browsers, which is ten times as fast and has no guard against hangs; SEED=2 makes other
// mutations.
import { readFileSync } from 'node:fs'
import { fuzz, fuzzTargets } from '../test/fuzz.js'

const [count = '2000', ...names] = process.argv.slice(2)
const targets = await fuzzTargets(!process.env.DIRECT)
let failed = false
for (const [name, target] of Object.entries(targets)) {
  if (names.length > 0 && !names.includes(name)) continue
  const started = performance.now()
  const { mutations, errors, models, failures, hangs, slowest } = await fuzz(
    target,
    Number(count),
    Number(process.env.SEED ?? 1),
    (done) => {
      if (done % 500 === 0) console.error(`${name}: ${done}`)
    },
  )
  const seconds = (performance.now() - started) / 1000
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
  console.log(
    `${name}: ${mutations} mutations of ${target.bytes.length} bytes: ${errors} typed errors (${hangs} of them given up after a hang), ${models} valid models, ${failures.length} failures; slowest ${slowest.toFixed(1)} s, ${seconds.toFixed(0)} s in all, peak ${peak.toFixed(0)} MB so far`,
  )
  for (const failure of failures.slice(0, 10)) console.log(`  ${failure}`)
  failed ||= failures.length > 0
}
process.exitCode = failed ? 1 : 0
