// What we ship with: fails on a licence that is not known to fit, on an install script of ours, and on a known vulnerability (asked of the registry that is
// configured; skipped visibly without one).
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pnpm, root } from './run-step.mjs'

/** Licences of dependencies that an Apache-2.0 project can ship with; LGPL for libraries that are linked at run time and can be replaced. */
const LICENSES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'LGPL-3.0',
  'LGPL-3.0-or-later',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
  'Zlib',
])
/** Licences that were read by hand, of packages that name none of the usual ones. */
const READ = new Map([['h5wasm', 'of NIST (free to use and copy with its notice) and of HDF5 (BSD)']])
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare']

const run = promisify(execFile)
const problems = []
const call = (...args) =>
  run(pnpm[0], [...pnpm.slice(1), ...args], { cwd: root, maxBuffer: 2 ** 28 }).catch((error) => error)

/** Whether one of the licences of an expression such as "(MIT OR Apache-2.0)" fits, or all that are joined by AND do. */
const fits = (expression) =>
  expression
    .replaceAll(/[()]/g, '')
    .split(/ or /i)
    .some((choice) => choice.split(/ and /i).every((name) => LICENSES.has(name.trim())))

// The sites and examples are not published; what they are built with is nobody's dependency.
const { stdout: text } = await call('--filter', './packages/*', 'licenses', 'list', '--prod', '--json')
const licenses = JSON.parse(text)
let count = 0
for (const [license, packages] of Object.entries(licenses)) {
  count += packages.length
  const unread = packages.filter(({ name }) => !READ.has(name))
  if (!fits(license) && unread.length > 0)
    problems.push(`licence ${license}: ${unread.map(({ name }) => name).join(', ')}`)
}
console.log(`${count} dependencies under ${Object.keys(licenses).length} licences`)

for (const name of await readdir(join(root, 'packages'))) {
  const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
  if (manifest.private) continue
  const found = INSTALL_SCRIPTS.filter((script) => manifest.scripts?.[script] !== undefined)
  if (found.length > 0)
    problems.push(
      `${manifest.name} has the script ${found.join(', ')}, which would run where it is installed`,
    )
}

const audit = await call('audit', '--prod', '--json')
let report
try {
  report = JSON.parse(audit.stdout)
} catch {
  report = undefined
}
if (report?.metadata === undefined)
  console.log('skipped: no registry answers questions about vulnerabilities here')
else {
  const { high = 0, critical = 0 } = report.metadata.vulnerabilities
  for (const { severity, module_name: name, title } of Object.values(report.advisories ?? {})) {
    console.log(`${severity}: ${name}: ${title}`)
  }
  if (high + critical > 0) problems.push(`${high + critical} known vulnerabilities of severity high or above`)
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
