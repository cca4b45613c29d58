import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Nothing inline, nothing evaluated, no markup parsed by scripts, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"

/** Bundles the viewer as a page gets it. */
export async function bundleViewer(): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@facekit/source'],
    external: ['node:*'],
  })
  return result.outputFiles[0].contents
}

/** Serves a page under a strict policy: `/?src=face.glb&controls` has an element with these attributes. */
export async function servePages(
  files: Record<string, Uint8Array>,
): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost')
    const name = url.pathname.slice(1)
    if (name === '') {
      const attributes = [...url.searchParams].map(([key, value]) => `${key}="${value}"`).join(' ')
      response.setHeader('content-security-policy', POLICY)
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(
        `<!doctype html><html lang="en"><head><title>Viewer</title><link rel="icon" href="empty.png"><script type="module" src="viewer.js"></script></head><body><facekit-viewer ${attributes}></facekit-viewer></body></html>`,
      )
    } else if (files[name]) {
      const type = name.endsWith('.js')
        ? 'text/javascript'
        : name.endsWith('.png')
          ? 'image/png'
          : 'model/gltf-binary'
      response.setHeader('content-type', type)
      response.end(files[name])
    } else {
      response.statusCode = 404
      response.end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}
