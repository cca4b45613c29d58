// Sets everything up and reconstructs a face from a photograph. Needs Node and git only.
//   npm run demo                    a photograph that comes with a package of the tests
//   npm run demo -- me.jpg          your own
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { install, root, run } from './run-step.mjs'

await install()
const own = process.argv.slice(2)
const photograph = join(root, 'node_modules/@vladmandic/face-api/demo/sample6.jpg')
const what = own.length > 0 ? own : [photograph, '--face', '1']
const output = join(root, 'output')
console.log(
  `\n== facekit reconstruct ${what.map((argument) => (existsSync(argument) ? relative(root, argument) : argument)).join(' ')}`,
)
const source = ['--conditions=@facekit/source', '--import', 'tsx', 'packages/cli/src/main.ts']
process.exitCode = await run([
  'node',
  ...source,
  'reconstruct',
  ...what,
  '--out',
  output,
  '--force',
  '--backend',
  'wasm',
])
if (process.exitCode === 0)
  console.log(`\nOpen an index.html below ${relative(process.cwd(), output) || output} in a browser.`)
