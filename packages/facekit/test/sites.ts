import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
}

/** What CDNs compress. */
const PACKED = /\.(html|js|css|json|wasm)$/

/** A site for tests, and what was asked of it. */
export interface Site {
  address: string
  /** Paths, in the order of the requests. */
  requests: string[]
  /** Bytes that were sent for each. */
  bytes: number[]
  close(): Promise<void>
}

/** Serves a folder, or contents by path, as CDNs do: to anybody, with nothing special but the headers that are given. */
export async function serve(
  content: string | Record<string, string | Uint8Array>,
  headers: Record<string, string> = {},
): Promise<Site> {
  const read = async (path: string) =>
    typeof content === 'string' ? await readFile(join(content, path)) : content[path]
  const server: Server = createServer(async (request, response) => {
    const asked = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const path = asked.endsWith('/') ? `${asked}index.html` : asked
    const found = await read(path).catch(() => undefined)
    // As CDNs send code, to whoever takes it.
    const packs = found && PACKED.test(path) && /\bgzip\b/.test(String(request.headers['accept-encoding']))
    const body = packs ? gzipSync(found) : found
    site.requests.push(path)
    site.bytes.push(body?.length ?? 0)
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'access-control-allow-origin': '*',
      ...(packs && { 'content-encoding': 'gzip' }),
      ...headers,
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const site: Site = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    bytes: [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return site
}
