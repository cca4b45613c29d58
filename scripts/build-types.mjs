// Declarations of all packages, after their code has been built: one program for all of them, where each package alone would read most of the others again.
// Types are not checked here, which `npm run typecheck` does.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'
import { root } from './run-step.mjs'

/** Packages that bring all their code: their declarations name no other package. */
const BUNDLED = new Set(['facekit'])

const packages = []
for (const folder of await readdir(join(root, 'packages'))) {
  const manifest = JSON.parse(
    await readFile(join(root, 'packages', folder, 'package.json'), 'utf8').catch(() => 'null'),
  )
  if (!manifest?.exports) continue
  const sources = Object.values(manifest.exports).flatMap((entry) => entry['@facekit/source'] ?? [])
  packages.push({ folder, name: manifest.name, sources })
}

/** Path of a declaration below `packages`, such as `core/src/index.d.ts`, to its text. */
const declarations = new Map()
emit()
for (const { folder, sources } of packages) {
  const entries = sources.map((path) => join(folder, path).replace(/\.ts$/, '.d.ts'))
  const files = BUNDLED.has(folder) ? await bundled(entries) : reachable(entries)
  for (const [path, text] of files) {
    const out = join(root, 'packages', folder, 'dist', relative(join(folder, 'src'), path))
    await mkdir(dirname(out), { recursive: true })
    await writeFile(out, text)
  }
}
console.log(`declarations of ${packages.length} packages`)

function emit() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const entries = packages.flatMap(({ folder, sources }) =>
    sources.map((path) => join(root, 'packages', folder, path)),
  )
  const program = ts.createProgram(entries, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    rootDir: join(root, 'packages'),
    outDir: join(root, 'packages'),
  })
  const { diagnostics } = program.emit(undefined, (path, text) =>
    declarations.set(relative(join(root, 'packages'), path), text),
  )
  // Those that were written by hand, for modules in JavaScript.
  for (const { fileName, isDeclarationFile, text } of program.getSourceFiles()) {
    const path = relative(join(root, 'packages'), fileName)
    if (isDeclarationFile && /^[a-z0-9-]+[\\/]src[\\/]/.test(path)) declarations.set(path, text)
  }
  for (const { messageText } of diagnostics)
    throw new Error(`declarations: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}

/** The declarations that others name, from the entries on: `[path, text]`. */
function reachable(entries) {
  const paths = [...entries]
  for (const path of paths) {
    for (const { fileName } of ts.preProcessFile(declarations.get(path), true, true).importedFiles) {
      const next = join(dirname(path), fileName.replace(/\.js$/, '.d.ts'))
      if (fileName.startsWith('.') && declarations.has(next) && !paths.includes(next)) paths.push(next)
    }
  }
  return paths.map((path) => [path, declarations.get(path)])
}

/** One declaration for each entry, with all that it takes from other packages of this repository. */
async function bundled(entries) {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-types-'))
  try {
    for (const [path, text] of declarations) {
      await mkdir(join(folder, dirname(path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const results = []
    for (const entry of entries) {
      const bundle = await rollup({
        input: join(folder, entry),
        plugins: [{ name: 'packages', resolveId: (id, from) => place(folder, id, from) }, dts()],
      })
      const { output } = await bundle.generate({ format: 'es' })
      await bundle.close()
      results.push([entry, output[0].code])
    }
    return results
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where a declaration lies that another one names. */
function place(folder, id, from) {
  const known = packages.find(({ name }) => name === id)
  if (known) return join(folder, known.folder, 'src/index.d.ts')
  if (id.startsWith('.')) return resolve(dirname(from), id.replace(/\.js$/, '.d.ts'))
  return from === undefined ? undefined : { id, external: true }
}
