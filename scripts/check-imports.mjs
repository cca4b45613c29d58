// Who imports whom: fails on a cycle between packages, on an import against the design's direction, on a deep import of
// another package, on an import that the package does not declare, on a dependency that it does not import, on a circle of
// files inside a package, type imports included, and on a folder with too many files.
import { readdir, readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import ts from 'typescript'
import { findCircles, FOLDER_LIMIT, fullFolders } from './file-circles.mjs'
import { root } from './run-step.mjs'

/** Allowed imports between packages; what a package may import, so may those above it. */
const ALLOWED = {
  core: [],
  kernels: ['core'],
  parameters: ['core', 'kernels'],
  engine: ['core', 'kernels'],
  mesh: ['core', 'kernels'],
  morphable: ['core', 'kernels', 'parameters', 'mesh'],
  'base-model': ['core', 'kernels', 'parameters', 'mesh', 'morphable', 'illumination', 'export'],
  rasterizer: ['core', 'kernels', 'mesh'],
  illumination: ['core', 'kernels'],
  render: ['core', 'kernels', 'parameters', 'mesh', 'morphable', 'rasterizer', 'illumination'],
  synthetic: ['core', 'kernels', 'parameters', 'mesh', 'morphable', 'rasterizer', 'illumination', 'render'],
  losses: ['core', 'kernels', 'parameters'],
  annotate: ['core', 'kernels', 'engine'],
  'annotate-training': ['core', 'kernels', 'engine', 'annotate', 'dataset'],
  regressor: ['core', 'kernels', 'parameters', 'engine', 'annotate'],
  'regressor-weights': ['core', 'parameters', 'engine', 'annotate', 'regressor'],
  'regressor-weights-resnet50': ['core', 'parameters', 'engine', 'annotate', 'regressor'],
  dataset: ['core', 'kernels', 'parameters', 'annotate'],
  fit: ['core', 'kernels', 'parameters', 'mesh', 'morphable', 'illumination', 'render', 'losses', 'annotate'],
  appearance: ['core', 'parameters', 'morphable', 'rasterizer', 'illumination', 'render', 'annotate'],
  export: ['core', 'mesh'],
  viewer: ['core', 'illumination'],
  evaluation: ['core', 'mesh', 'export', 'rasterizer'],
  trainer: ['core', 'kernels', 'parameters', 'engine', 'morphable', 'render', 'losses', 'export'],
  facekit: [
    'core',
    'parameters',
    'engine',
    'morphable',
    'base-model',
    'rasterizer',
    'illumination',
    'render',
    'annotate',
    'regressor',
    'regressor-weights',
    'fit',
    'appearance',
    'export',
  ],
  'create-facekit': [],
  cli: '*',
  testing: '*',
}

/** Dependencies that no import names: they are resolved at run time. */
const LOADED_BY_NAME = new Set(['cli: koffi', '10-train-on-many-machines: koffi', 'facekit: sharp'])

/** Development dependencies whose code the build puts into the package. */
const BUNDLED = {
  export: ['@gltf-transform/core', '@gltf-transform/extensions'],
  facekit: [
    ...ALLOWED.facekit.map((name) => `@facekit/${name}`),
    '1eurofilter',
    '@tensorflow/tfjs-core',
    'gl-matrix',
    'ndarray',
  ],
  viewer: ['@facekit/core', '@facekit/illumination', 'three'],
}

const problems = []

async function sourceFiles(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/node_modules|\/dist\//.test(path))
}

async function importsOf(file) {
  const info = ts.preProcessFile(await readFile(file, 'utf8'), true, true)
  return info.importedFiles.map((imported) => imported.fileName)
}

const isPackage = (specifier) =>
  !specifier.startsWith('.') && !specifier.startsWith('node:') && !builtinModules.includes(specifier)

/** The package that a specifier names: '@a/b' of '@a/b/c'. */
const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const graph = new Map()
const rootManifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
for (const group of ['packages', 'apps', 'examples']) {
  for (const entry of await readdir(join(root, group), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const { name } = entry
    const folder = join(root, group, name)
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8').catch(() => 'null'))
    if (!manifest) {
      problems.push(`${group}/${name} has no package.json`)
      continue
    }
    const declared = new Set([
      ...['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((key) =>
        Object.keys(manifest[key] ?? {}),
      ),
      ...(group === 'packages' ? (BUNDLED[name] ?? []) : []),
    ])
    // Tests and scripts are not published: they may also use what the root declares, as a package's tests do its own name.
    const known = new Set([
      ...declared,
      ...Object.keys(manifest.devDependencies ?? {}),
      ...Object.keys(rootManifest.devDependencies),
    ])
    if (group === 'packages') {
      for (const part of ['test', 'scripts']) {
        for (const file of await sourceFiles(join(folder, part))) {
          for (const specifier of await importsOf(file)) {
            const where = file.slice(root.length)
            if (part === 'test' && specifier.startsWith('.') && join(file, '..', specifier).includes('/src/'))
              problems.push(`${where}: ${specifier} is not the public door; import the package by its name`)
            if (!isPackage(specifier)) continue
            const dependency = packageOf(specifier)
            if (!known.has(dependency)) problems.push(`${where}: ${dependency} is declared nowhere`)
            if (dependency.startsWith('@facekit/') && specifier !== dependency)
              problems.push(`${where}: deep import of ${specifier}`)
          }
        }
      }
    }
    const used = new Set()
    const imported = new Set()
    const imports = new Map()
    for (const file of await sourceFiles(group === 'packages' ? join(folder, 'src') : folder)) {
      const where = file.slice(root.length)
      imports.set(where, await importsOf(file))
      for (const specifier of imports.get(where)) {
        if (specifier.startsWith('.')) {
          if (group === 'packages' && !join(file, '..', specifier).startsWith(folder)) {
            problems.push(`${where}: ${specifier} leaves the package`)
          }
          continue
        }
        if (!isPackage(specifier)) continue
        const dependency = packageOf(specifier)
        imported.add(dependency)
        if (dependency.startsWith('@facekit/')) {
          used.add(dependency.slice('@facekit/'.length))
          if (specifier !== dependency) problems.push(`${where}: deep import of ${specifier}`)
        }
        const testOnly = /\.test\.ts$|\/test\//.test(where)
        if (dependency !== manifest.name && !(testOnly ? known : declared).has(dependency)) {
          problems.push(`${where}: ${dependency} is not declared in package.json`)
        }
      }
    }
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      const used =
        imported.has(dependency.replace(/^@types\//, '')) || LOADED_BY_NAME.has(`${name}: ${dependency}`)
      if (!used) problems.push(`${group}/${name} does not use its dependency ${dependency}`)
    }
    for (const circle of findCircles(imports)) problems.push(`circle of files: ${circle.join(' <-> ')}`)
    for (const [full, count] of fullFolders(imports.keys()))
      problems.push(`${full}: ${count} files in one folder, at most ${FOLDER_LIMIT}`)
    if (group === 'packages') {
      used.delete(name)
      graph.set(name, used)
      const allowed = ALLOWED[name]
      if (allowed === undefined)
        problems.push(
          `packages/${name} is unknown to scripts/check-imports.mjs; say there what it may import`,
        )
      for (const other of used) {
        if (allowed && allowed !== '*' && !allowed.includes(other))
          problems.push(`packages/${name} may not import @facekit/${other}`)
      }
    }
  }
}

const done = new Set()
function visit(name, path) {
  if (path.includes(name)) {
    problems.push(`cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}`)
    return
  }
  if (done.has(name)) return
  for (const other of graph.get(name) ?? []) visit(other, [...path, name])
  done.add(name)
}
for (const name of graph.keys()) visit(name, [])

for (const problem of new Set(problems)) console.error(problem)
if (problems.length === 0) console.log(`imports of ${graph.size} packages are in order`)
process.exitCode = problems.length === 0 ? 0 : 1
