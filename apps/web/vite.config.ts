import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const engine = createRequire(at('../../packages/engine/package.json'))
const tfjsWasm = dirname(engine.resolve('@tensorflow/tfjs-backend-wasm'))

/** Sources name files as they lie after a build: workers are scripts, and the engine has tfjs' files beside it. */
const builtFiles: Plugin = {
  name: 'built-files',
  enforce: 'pre',
  transform(code, id) {
    if (/facekit[\\/]src[\\/]start-worker\.ts/.test(id))
      return code.replace(
        "new URL('./worker.js', import.meta.url), {",
        "new URL('./worker.ts', import.meta.url), {",
      )
    if (!/engine[\\/]src[\\/]backends[\\/]wasm-files\.ts/.test(id)) return undefined
    return code.replace(
      /new URL\('\.\/(tfjs-backend-wasm[^']*\.wasm)', import\.meta\.url\)/g,
      (_, name: string) => `new URL(${JSON.stringify(`/@fs/${join(tfjsWasm, name)}`)}, import.meta.url)`,
    )
  },
}

/** The page never works in its own thread: what does the work is in the worker's build alone. */
const workerOnly: Plugin = {
  name: 'worker-only',
  enforce: 'pre',
  transform: (code, id) =>
    /facekit[\\/]src[\\/]open-work\.ts/.test(id)
      ? code.replace("import('./stages/local-work.js')", 'Promise.reject(new Error("not in the page"))')
      : undefined,
}

/** Nothing but the page's own files: browsers refuse to send anything elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' blob:; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"

const policy: Plugin = {
  name: 'policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
      injectTo: 'head-prepend',
    },
  ],
}

/** Weights that only other methods and `networks: 'large'` load; they are not kept for offline use. */
const RARE = /embedder|segmenter|hourglass|mtcnn|regressor|base-model-(learned|[\w-]{8}\.)|threaded|webgpu/

/** Writes the service worker, with the names of all files that it keeps. */
const serviceWorker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  async generateBundle(_, bundle) {
    const built = Object.keys(bundle).filter((name) => !name.endsWith('.map') && !RARE.test(name))
    const files = [
      './',
      'icon.svg',
      'app.webmanifest',
      'examples/1.jpg',
      'examples/2.jpg',
      'examples/3.jpg',
      ...built,
    ]
    const source = await readFile(at('src/service-worker.js'), 'utf8')
    this.emitFile({
      type: 'asset',
      fileName: 'service-worker.js',
      source: source.replace(
        '/* files */',
        files
          .filter((name) => name !== 'index.html')
          .map((name) => JSON.stringify(name))
          .join(', '),
      ),
    })
  },
}

export default defineConfig({
  root: at('.'),
  base: './',
  resolve: {
    conditions: ['@facekit/source', 'module', 'browser', 'import', 'default'],
    // A strict policy forbids the code that `ndarray` makes from strings; see the notes there.
    alias: { ndarray: 'facekit/array-view' },
  },
  plugins: [builtFiles, workerOnly, policy, serviceWorker],
  worker: { format: 'es', plugins: () => [builtFiles] },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rollupOptions: { external: ['h5wasm'] },
  },
})
