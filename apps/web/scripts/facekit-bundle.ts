import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Plugin } from 'vite'
import { bundle } from '../../../packages/facekit/scripts/bundle.js'

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

// Contributor notes. The page takes `facekit` as any other page does: from the folder that the package ships for CDNs. esbuild makes it in two seconds;
// Rollup needed 25 s of processor time for the same, since it parses tfjs and all packages twice, for the page and for its worker.

/** Bundles `facekit` with its worker, networks and model into a folder beside the page, named after its content. */
export function facekitBundle(options: { minify: boolean }): Plugin {
  let files = new Map<string, Uint8Array>()
  let name = ''
  let serves = false
  return {
    name: 'facekit-bundle',
    enforce: 'pre',
    configResolved: ({ command }) => {
      serves = command === 'serve'
    },
    async buildStart() {
      if (files.size > 0) return
      files = await bundledFiles(options)
      const hash = createHash('sha256')
      for (const content of files.values()) hash.update(content)
      name = `facekit-${hash.digest('hex').slice(0, 8)}`
    },
    resolveId: (id) =>
      id === 'facekit' ? { id: `${serves ? '/' : '../'}${name}/facekit.js`, external: true } : undefined,
    generateBundle() {
      for (const [file, source] of files)
        this.emitFile({ type: 'asset', fileName: `${name}/${file}`, source })
    },
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const [, folder, ...path] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')
        const content = folder === name ? files.get(path.join('/')) : undefined
        if (!content) return next()
        response.setHeader('content-type', TYPES[extname(path.at(-1)!)] ?? 'application/octet-stream')
        response.end(content)
      })
    },
  }
}

async function bundledFiles(options: { minify: boolean }): Promise<Map<string, Uint8Array>> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-web-'))
  try {
    await bundle(folder, options)
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    const paths = names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted()
    return new Map(
      await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path))] as const)),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
