// The package as users get it: all code inside, ours and tfjs, beside the files that it loads. One bundle for pages and bundlers of apps, one for Node.
import { createRequire } from 'node:module'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const require = createRequire(import.meta.url)
const source = fileURLToPath(new URL('../src/', import.meta.url))
const tfjsWasm = () =>
  dirname(
    createRequire(require.resolve('@facekit/engine/package.json')).resolve('@tensorflow/tfjs-backend-wasm'),
  )

/** What `networks: 'small'`, `method: 'fit'` and heads may load. */
const SMALL = [
  'tiny-face-detector.safetensors',
  'face-detector.safetensors',
  'landmarks.safetensors',
  'dense-landmarks.safetensors',
  'base-model-scans.safetensors',
  'head.safetensors',
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
]

const ASSET = /new URL\(\s*'(\.{1,2}\/[^']+\.(?:safetensors|wasm))',\s*import\.meta\.url,?\s*\)/g

/** Networks and models lose a third of their bytes, and CDNs send what they do not know as it is: such files are packed here, and unpacked by who reads them. */
const packedName = (name: string) => (name.endsWith('.safetensors') ? `${name}.gz` : name)

/** Writes a file into a folder, packed where that is its way. */
async function copyAsset(from: string, name: string, to: string): Promise<void> {
  const content = await readFile(from)
  const packed = packedName(name)
  await writeFile(join(to, packed), packed === name ? content : await promisify(gzip)(content, { level: 9 }))
}

/** Files that code names by `new URL(..., import.meta.url)` are found in a folder, into which they are copied.
 *
 * @param place - of the folder, as the bundle sees it
 * @param copyTo - absent: they are there already
 */
const assets = (place: string, copyTo?: string, only?: readonly string[]): Plugin => {
  // The page's build and its worker's name the same files.
  const copies = new Map<string, Promise<void>>()
  const copy = (name: string, from: string) => {
    if (!copyTo || (only && !only.includes(name)) || copies.has(name)) return
    copies.set(name, copyAsset(name.endsWith('.wasm') ? join(tfjsWasm(), name) : from, name, copyTo))
  }
  return {
    name: 'assets',
    setup(bundle) {
      bundle.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]src[\\/].*\.[jt]s$/ }, async ({ path }) => {
        const contents = await readFile(path, 'utf8')
        const changed = contents.replace(ASSET, (_, file: string) => {
          const name = basename(file)
          copy(name, join(path, '..', file))
          return `new URL('${place}/${packedName(name)}', import.meta.url)`
        })
        return { contents: changed, loader: path.endsWith('.ts') ? 'ts' : 'js' }
      })
      bundle.onEnd(async () => void (await Promise.all(copies.values())))
    },
  }
}

/** Puts an empty module in the place of packages that are never reached. */
const without = (...names: string[]): Plugin => ({
  name: 'without',
  setup(bundle) {
    bundle.onResolve({ filter: new RegExp(`^(${names.join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'without',
    }))
    bundle.onLoad({ filter: /.*/, namespace: 'without' }, () => ({ contents: 'export default undefined' }))
  },
})

/** tfjs keeps its engine and its kernels in globals, by which two copies get in each other's way. This copy has globals of its own. */
const ownEngine: Plugin = {
  name: 'own-engine',
  setup(bundle) {
    bundle.onLoad({ filter: /tfjs-core[\\/]dist[\\/](engine|global_util)\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(/\bns\._tf(engine|Globals)\b/g, 'ns._facekit_$1'),
    }))
  },
}

/** What the page's own thread imports of other packages, file by file. */
const FRONT_FILES: Record<string, string[]> = {
  '@facekit/core': ['errors', 'value-checks'],
  '@facekit/illumination': ['light-presets', 'preset-light'],
}
const FRONT =
  /[\\/](facekit[\\/]src[\\/](worker[\\/])?[^\\/]+|illumination[\\/]src[\\/]illuminant-color)\.ts$/

// esbuild drops unused code once for all entries, then gives an entry all files that can be reached from it: by the index of a package the page would load what the
// worker needs, tfjs first of all, half a megabyte.

/** Imports of the page's own thread go to the files that they mean. */
const frontFiles: Plugin = {
  name: 'front-files',
  setup(bundle) {
    bundle.onResolve({ filter: /^@facekit\/(core|illumination)$/ }, ({ path, importer }) =>
      FRONT.test(importer) ? { path, namespace: 'front' } : undefined,
    )
    bundle.onLoad({ filter: /.*/, namespace: 'front' }, ({ path }) => {
      const folder = join(source, '../..', path.slice('@facekit/'.length), 'src')
      const lines = FRONT_FILES[path].map(
        (file) => `export * from ${JSON.stringify(join(folder, `${file}.ts`))}`,
      )
      return { contents: lines.join('\n'), resolveDir: folder }
    })
  },
}

const common: BuildOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['@facekit/source'],
  mainFields: ['module', 'main'],
  chunkNames: 'chunks-[hash]',
  legalComments: 'linked',
  logLevel: 'error',
  // See its notes: pages forbid code from strings.
  alias: { ndarray: fileURLToPath(new URL('array-view.ts', import.meta.url)) },
}

/** Imports that only Node comes to: bundlers of apps would follow them, and find nothing. They cannot see through `trim`. */
const NODE_IMPORT = /\bimport\(\s*("(?:node:[a-z0-9/_]+|heic-decode)")\s*\)/g

/** Imports and addresses that are known at run time only, of which bundlers would warn. */
const UNKNOWN = /\b(import|new URL)\(\s*([\w$]+)(\s*\)|,\s*import\.meta\.url)/g

/** esbuild drops these words to other bundlers. */
const IGNORE = '/* webpackIgnore: true *//* @vite-ignore */'

/** Bundles the package for pages, and for bundlers of apps for pages, into a folder.
 *
 * @param out - is made where it is not there
 * @param options - `minify`: default true; `networks`: which files come along, default `'small'`: with them the method `fit` works
 */
export async function bundle(
  out: string,
  { minify = true, networks = 'small' }: { minify?: boolean; networks?: 'small' | 'all' } = {},
): Promise<void> {
  await mkdir(join(out, 'assets'), { recursive: true })
  const options: BuildOptions = {
    ...common,
    minify,
    platform: 'browser',
    mainFields: ['browser', 'module', 'main'],
    external: ['node:*', 'heic-decode'],
    outdir: out,
    write: false,
    plugins: [
      assets('./assets', join(out, 'assets'), networks === 'small' ? SMALL : undefined),
      // Readers of face models in HDF5, which facekit does not load, and of photographs in Node.
      without('h5wasm', 'sharp'),
      ownEngine,
    ],
  }
  const results = await Promise.all([
    build({
      ...options,
      entryPoints: { facekit: join(source, 'index.ts') },
      plugins: [frontFiles, ...options.plugins!],
    }),
    // One file: Vite bundles workers again, and cannot split them without a setting of the app.
    build({ ...options, entryPoints: { worker: join(source, 'worker.ts') }, splitting: false }),
  ])
  for (const { path, text } of results.flatMap(({ outputFiles }) => outputFiles ?? []))
    await writeFile(
      path,
      text.replaceAll(NODE_IMPORT, `import(${IGNORE}$1.trim())`).replaceAll(UNKNOWN, `$1(${IGNORE}$2$3`),
    )
  await writeFile(join(out, 'NOTICE'), await notices())
}

/** tfjs' WASM backend is CommonJS, which looks for its file where `__dirname` says. */
const COMMON_JS = `import { createRequire as createRequireHere } from 'node:module'
const require = createRequireHere(import.meta.url)
const __dirname = decodeURIComponent(new URL('../browser/assets', import.meta.url).pathname).replace(/^\\/([a-z]:)/i, '$1')
`

/** Bundles the package for Node; it finds its files in the folder of the bundle for pages, `../browser/assets`. */
export async function bundleForNode(out: string): Promise<void> {
  await build({
    ...common,
    entryPoints: { facekit: join(source, 'index.ts') },
    platform: 'node',
    external: ['sharp', 'heic-decode'],
    outdir: out,
    banner: { js: COMMON_JS },
    // Node has a `fetch` of its own.
    plugins: [assets('../browser/assets'), without('h5wasm', 'node-fetch'), ownEngine],
  })
}

async function notices(): Promise<string> {
  const texts = ['facekit', 'annotate', 'base-model', 'export'].map((name) =>
    readFile(join(source, '../..', name, 'NOTICE'), 'utf8'),
  )
  return (await Promise.all(texts)).join('\n\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = process.argv[2] ?? fileURLToPath(new URL('../dist/', import.meta.url))
  await rm(dist, { recursive: true, force: true })
  await bundle(join(dist, 'browser'), { networks: 'all' })
  await bundleForNode(join(dist, 'node'))
}
