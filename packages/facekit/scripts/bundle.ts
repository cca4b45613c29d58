// The build for pages without a bundler: facekit.js, worker.js, chunks, and the files that they load, in one folder.
import { createRequire } from 'node:module'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'

const require = createRequire(import.meta.url)
const source = fileURLToPath(new URL('../src/', import.meta.url))
const tfjsWasm = () =>
  dirname(
    createRequire(require.resolve('@facekit/engine/package.json')).resolve('@tensorflow/tfjs-backend-wasm'),
  )

/** What `networks: 'small'` and `method: 'fit'` may load; the rest is for pages with a bundler of their own. */
const SHIPPED = [
  'tiny-face-detector.safetensors',
  'face-detector.safetensors',
  'landmarks.safetensors',
  'dense-landmarks.safetensors',
  'base-model-scans.safetensors',
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
]

const ASSET = /new URL\(\s*'(\.{1,2}\/[^']+\.(?:safetensors|wasm))',\s*import\.meta\.url,?\s*\)/g

/** Files that code names by `new URL(..., import.meta.url)` go to `assets/` beside the bundle. */
const assets = (out: string): Plugin => ({
  name: 'assets',
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/](src|dist)[\\/].*\.[jt]s$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8')
      const loader = path.endsWith('.ts') ? 'ts' : 'js'
      const copies: Promise<void>[] = []
      const changed = contents.replace(ASSET, (_, file: string) => {
        const name = basename(file)
        if (SHIPPED.includes(name))
          copies.push(
            copyFile(
              name.endsWith('.wasm') ? join(tfjsWasm(), name) : join(path, '..', file),
              join(out, 'assets', name),
            ),
          )
        return `new URL('./assets/${name}', import.meta.url)`
      })
      await Promise.all(copies)
      return { contents: changed, loader }
    })
  },
})

/** Bundles the package into a folder.
 *
 * @param out - is made where it is not there
 * @param options - `minify`: default true
 */
export async function bundle(out: string, { minify = true } = {}): Promise<Metafile> {
  await mkdir(join(out, 'assets'), { recursive: true })
  const { metafile } = await build({
    entryPoints: { facekit: join(source, 'index.ts'), worker: join(source, 'worker.ts') },
    bundle: true,
    minify,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@facekit/source'],
    // h5wasm reads face models of HDF5, which facekit does not load; the others are for Node.
    external: [
      'node:*',
      'h5wasm',
      'webgpu',
      'sharp',
      'heic-decode',
      '@tensorflow/tfjs-node',
      '@tensorflow/tfjs-node-gpu',
    ],
    chunkNames: 'chunks-[hash]',
    outdir: out,
    metafile: true,
    legalComments: 'linked',
    logLevel: 'error',
    // See its notes: pages forbid code from strings.
    alias: { ndarray: join(source, 'array-view.ts') },
    plugins: [assets(out)],
  })
  const notices = await Promise.all(
    ['facekit', 'annotate', 'base-model', 'export'].map((name) =>
      readFile(join(source, '../..', name, 'NOTICE'), 'utf8'),
    ),
  )
  await writeFile(join(out, 'NOTICE'), notices.join('\n\n'))
  return metafile
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? fileURLToPath(new URL('../dist/cdn/', import.meta.url))
  await bundle(out)
}
