import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { extname, join, normalize } from 'node:path'

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
}

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')

/** Serves a folder, and a photograph of a face as /photograph.jpg. What is missing is answered with index.html, status 200, as
 * servers of single-page apps do. */
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname)
    const file = path === '/photograph.jpg' ? photograph : join(folder, path === '/' ? 'index.html' : path)
    const found = await readFile(file).catch(() => undefined)
    response.setHeader(
      'content-type',
      found ? (types[extname(file)] ?? 'application/octet-stream') : 'text/html',
    )
    response.end(found ?? (await readFile(join(folder, 'index.html'))))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
