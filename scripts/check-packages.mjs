// The packages as strangers get them, after a build: packed, linted by publint, and each bundled for browsers by esbuild
// without an error or a warning. The command line tool is for Node only and is not bundled.
//   node scripts/check-packages.mjs [folder]      a folder with all tarballs; without it they are packed first
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { pnpm, root, run } from './run-step.mjs'

/** Commands: no browser loads them. */
const FOR_NODE = new Set(['cli', 'create-facekit'])

const folder = await mkdtemp(join(tmpdir(), 'facekit-packages-'))
const failures = []
try {
  const packed = process.argv[2] ?? folder
  const packing = ['--filter', './packages/*', '-r', 'pack', '--pack-destination', folder]
  if (packed === folder && (await run([...pnpm, ...packing], { stdio: 'ignore' })) !== 0)
    failures.push('pnpm pack failed')
  const tarballs = await readdir(packed)
  for (const name of await readdir(join(root, 'packages'))) {
    const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
    if (manifest.private) continue
    const before = failures.length
    describe(name, manifest)
    const tarball = tarballs.find((file) => file === `${tarballName(manifest.name)}-${manifest.version}.tgz`)
    if (tarball === undefined) failures.push(`${name}: was not packed`)
    else await lint(name, join(packed, tarball))
    if (!FOR_NODE.has(name)) await bundle(manifest.name)
    console.log(`${failures.length === before ? 'ok' : 'FAILED'} ${manifest.name}`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1

/** What pnpm calls the tarball of a package, before its version. */
function tarballName(name) {
  return name.replace('@', '').replace('/', '-')
}

/** What a registry shows of a package. */
function describe(name, { repository, homepage, bugs, keywords, sideEffects }) {
  const directory = `packages/${name}`
  if (repository?.directory !== directory) failures.push(`${name}: repository.directory is not ${directory}`)
  if (!homepage?.includes(directory)) failures.push(`${name}: homepage does not lead to ${directory}`)
  if (!bugs?.url) failures.push(`${name}: bugs.url is missing`)
  if (!(keywords?.length > 0)) failures.push(`${name}: keywords are missing`)
  if (sideEffects === undefined) failures.push(`${name}: sideEffects is missing`)
}

async function lint(name, tarball) {
  const bytes = await readFile(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
  for (const message of messages) {
    if (message.type !== 'suggestion') failures.push(`${name}: ${formatMessage(message, pkg)}`)
  }
}

/** Bundles all that a package exports, from its dist. */
async function bundle(name) {
  const result = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    splitting: true,
    outdir: folder,
    logLevel: 'silent',
    metafile: true,
  }).catch((error) => error)
  for (const { text, location } of [...result.errors, ...result.warnings]) {
    failures.push(`${name}: ${location?.file ?? ''} ${text}`)
  }
  const inputs = Object.keys(result.metafile?.inputs ?? {})
  if (inputs.some((path) => /packages\/[a-z-]+\/src\//.test(path))) failures.push(`${name}: bundles source`)
  // Without them a gradient fails in the browser: a package that is marked too free of side effects loses them.
  const tensors = inputs.some((path) => path.includes('packages/kernels/dist'))
  // tfjs keeps its gradients in arrays, gradConfigs, and a loop registers them.
  const registered = result.outputFiles?.some(({ text }) => / of gradConfigs\d*\)/.test(text))
  if (tensors && !registered) failures.push(`${name}: the bundle has no gradients`)
}
