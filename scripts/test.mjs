// Sets everything up and runs every check and every test. Needs Node and git only.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install, pnpm, run } from './run-step.mjs'
import { testTimes } from './test-times.mjs'

const checks = [
  ['format', [...pnpm, 'run', 'format:check']],
  ['lint', [...pnpm, 'run', 'lint']],
  ['types', [...pnpm, 'run', 'typecheck']],
  ['imports', ['node', 'scripts/check-imports.mjs']],
  ['build', [...pnpm, 'run', 'build']],
  ['packages alone', ['node', 'scripts/check-standalone.mjs']],
  ['packages packed', ['node', 'scripts/check-packages.mjs']],
  ['bytes of imports', ['node', 'scripts/check-bytes.mjs']],
  ['bundlers', ['node', 'bundlers/run.mjs']],
  ['dependencies', ['node', 'scripts/check-dependencies.mjs']],
  ['damaged files', [...pnpm, 'run', 'fuzz', '--day']],
]

await install()
const counts = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const count = (passed, name) => {
  counts[passed ? 'passed' : 'failed']++
  if (!passed) failures.push(name)
}

for (const [name, command] of checks) {
  console.log(`\n== ${name}`)
  const started = Date.now()
  count((await run(command)) === 0, name)
  console.log(`-- ${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

console.log('\n== tests')
const folder = await mkdtemp(join(tmpdir(), 'facekit-test-'))
const report = join(folder, 'report.json')
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const code = await run(['node', 'node_modules/vitest/vitest.mjs', 'run', ...reporters])
try {
  const results = JSON.parse(await readFile(report, 'utf8'))
  counts.passed += results.numPassedTests
  counts.failed += results.numFailedTests
  counts.skipped += results.numPendingTests + results.numTodoTests
  for (const line of testTimes(results)) console.log(line)
  // A file that fails to load has no failed test of its own.
  const unloaded = results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  for (const file of unloaded) count(false, file.name)
  if (code !== 0 && results.numFailedTests === 0 && unloaded.length === 0) count(false, 'vitest')
  for (const file of results.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') failures.push(test.fullName)
      if (test.status === 'skipped' || test.status === 'pending') console.log(`skipped: ${test.fullName}`)
    }
  }
} catch (error) {
  console.error(`the test run left no report: ${error.message}`)
  count(false, 'vitest')
} finally {
  await rm(folder, { recursive: true, force: true })
}

for (const name of failures) console.log(`FAILED: ${name}`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 && code === 0 ? 0 : 1
