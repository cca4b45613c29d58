// Everything that must hold before the packages are published. Takes minutes and a registry; npm test does not run it.
//   npm run release:check                       all
//   npm run release:check -- --managers npm     only these package managers (npm, pnpm, yarn)
//   npm run release:check -- --nodes 20,26      only these versions of Node
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pnpm, root, run } from '../run-step.mjs'
import { typeProblems } from './check-types.mjs'
import { installFresh, managers } from './fresh-projects.mjs'
import { checkFrontDoor } from './front-door.mjs'
import { packAll, publicPackages } from './public-packages.mjs'
import { readmeSnippets } from './readme-snippets.mjs'
import { runQuietly } from './run-quietly.mjs'

const { values } = parseArgs({ options: { managers: { type: 'string' }, nodes: { type: 'string' } } })
const chosenManagers = values.managers?.split(',') ?? managers
const nodes = values.nodes?.split(',') ?? ['20', '22', '24', '26']

const photograph = join(root, 'node_modules/@vladmandic/face-api/demo/sample6.jpg')

const failures = []
let last = performance.now()
/** One line of what was checked, and how long it took. */
const report = (holds, what) => {
  const now = performance.now()
  console.log(`${holds ? 'ok' : 'FAILED'} ${what} (${((now - last) / 1000).toFixed(1)} s)`)
  last = now
  if (!holds) failures.push(what)
}
const step = async (name, command) => report((await run(command)) === 0, name)

await step('build', [...pnpm, 'run', 'build:packages'])
await step('imported alone', ['node', 'scripts/check-standalone.mjs'])
await step('bytes of imports', ['node', 'scripts/check-bytes.mjs'])
await step('licences and vulnerabilities', ['node', 'scripts/check-dependencies.mjs'])

const folder = await mkdtemp(join(tmpdir(), 'facekit-release-'))
try {
  const packages = await publicPackages()
  const tarballs = await packAll(packages, folder)
  await step('packed, linted, bundled', ['node', 'scripts/check-packages.mjs', folder])
  for (const { name, manifest } of packages) {
    // A command has no types to be imported.
    if (!manifest.exports) continue
    const problems = await typeProblems(tarballs[name])
    report(problems.length === 0, `types of ${[name, ...problems].join('; ')}`)
  }
  for await (const [holds, what] of checkFrontDoor(join(folder, 'facekit'), tarballs.facekit, photograph))
    report(holds, what)
  const snippets = await readmeSnippets(packages)
  for (const manager of chosenManagers) {
    const project = join(folder, manager)
    const installed = await installFresh(manager, project, packages, tarballs)
    report(installed, `installed by ${manager}`)
    if (!installed) continue
    await prepare(project)
    // The examples once; on the other versions of Node, that everything can be imported.
    for (const [name, code] of manager === chosenManagers[0] ? snippets : []) {
      await writeFile(join(project, 'example.mjs'), code)
      const output = await runQuietly(['node', 'example.mjs'], project)
      report(output === undefined, `README of ${name}${output ? `: ${output}` : ''}`)
    }
    for (const node of nodes) {
      const command = ['npx', '-y', '-p', `node@${node}`, 'node', 'import-all.mjs']
      const output = await runQuietly(command, project)
      report(output === undefined, `Node ${node}, installed by ${manager}${output ? `: ${output}` : ''}`)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(failures.length === 0 ? 'ready for a release' : `${failures.length} checks failed`)
process.exitCode = failures.length === 0 ? 0 : 1

/** Files that the examples read, and a program that imports every package. */
async function prepare(project) {
  await mkdir(join(project, 'photos'), { recursive: true })
  for (const name of ['me.jpg', 'group.jpg', 'photos/one.jpg']) {
    await copyFile(photograph, join(project, name))
  }
  const { dependencies } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  const names = Object.keys(dependencies).filter((name) => dependencies[name].startsWith('file:'))
  const imports = names.filter((name) => name !== 'create-facekit')
  await writeFile(
    join(project, 'import-all.mjs'),
    `for (const name of ${JSON.stringify(imports)}) await import(name)
const { loadBaseModel } = await import('@facekit/base-model')
const { saveMorphableModel } = await import('@facekit/morphable')
await import('@tensorflow/tfjs-backend-cpu')
await saveMorphableModel(await loadBaseModel(), 'face.safetensors')
process.exit(0)
`,
  )
  await runQuietly(['node', 'import-all.mjs'], project)
}
