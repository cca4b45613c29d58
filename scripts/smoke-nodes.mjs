// Runs the smoke test on every version of Node that is supported, after a build; npx fetches the binaries.
//   node scripts/smoke-nodes.mjs 20 26     only these
import { run } from './run-step.mjs'

const supported = ['20', '22', '24', '26']
const versions = process.argv.length > 2 ? process.argv.slice(2) : supported
const failed = []
for (const version of versions) {
  const node = ['npx', '-y', '-p', `node@${version}`, 'node']
  if ((await run([...node, 'scripts/smoke.mjs'])) !== 0) failed.push(version)
}
if (failed.length > 0) console.error(`the smoke test fails on Node ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
