// Where the time of a test run went, from vitest's json report.
//   node scripts/test-times.mjs report.json
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './run-step.mjs'

/** Seconds that a test may take when it runs alone. */
export const TEST_LIMIT_S = 20

/** Lines with the seconds of each package's tests, longest first, then the slowest single tests. */
export function testTimes(report, slowest = 10) {
  const packages = new Map()
  const tests = []
  for (const file of report.testResults) {
    const name = relative(root, file.name).split('/').slice(0, 2).join('/')
    const sum = packages.get(name) ?? { seconds: 0, tests: 0 }
    sum.seconds += (file.endTime - file.startTime) / 1000
    sum.tests += file.assertionResults.length
    packages.set(name, sum)
    for (const { fullName, duration = 0 } of file.assertionResults)
      tests.push({ name: `${relative(root, file.name)}: ${fullName}`, seconds: duration / 1000 })
  }
  const bySeconds = (a, b) => b.seconds - a.seconds
  const lines = ['', '== time of the tests, by package']
  for (const { name, ...sum } of [...packages].map(([name, sum]) => ({ name, ...sum })).sort(bySeconds))
    lines.push(`${seconds(sum.seconds)}  ${name} (${sum.tests} tests)`)
  lines.push('', '== slowest tests')
  for (const test of tests.sort(bySeconds).slice(0, slowest)) {
    const mark = test.seconds > TEST_LIMIT_S ? `  longer than ${TEST_LIMIT_S} s` : ''
    lines.push(`${seconds(test.seconds)}  ${test.name}${mark}`)
  }
  return lines
}

const seconds = (value) => `${value.toFixed(1).padStart(7)} s`

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(testTimes(JSON.parse(await readFile(process.argv[2], 'utf8'))).join('\n'))
