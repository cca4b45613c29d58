import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readResource } from '@facekit/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251)
const packed = gzipSync(content)

let folder = ''
let server: Server
let address = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-resource-'))
  server = createServer(({ url }, response) => {
    if (url === '/packed.gz') return response.end(packed)
    // As some development servers send `.gz` files.
    if (url === '/encoded.gz') return response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
    if (url === '/page') return response.end('<!doctype html><title>start</title>')
    return response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

describe('readResource', () => {
  it('value: a file as it is, or packed, by its path and by its address', async () => {
    const [plain, gz] = [join(folder, 'a'), join(folder, 'a.gz')]
    await Promise.all([writeFile(plain, content), writeFile(gz, packed)])
    for (const source of [plain, gz, pathToFileURL(plain), pathToFileURL(gz).href])
      expect(Buffer.compare(await readResource(source), content)).toBe(0)
  })

  it('value: what a server sends packed is unpacked once, whoever unpacks it', async () => {
    for (const path of ['/packed.gz', '/encoded.gz'])
      expect(Buffer.compare(await readResource(address + path), content)).toBe(0)
  })

  it('throws: what is cut off, damaged, larger than 256 MB, missing or a page', async () => {
    const messageOf = async (bytes: Uint8Array) => {
      await writeFile(join(folder, 'b.gz'), bytes)
      return readResource(join(folder, 'b.gz')).then(
        () => 'read',
        (error: Error) => error.message,
      )
    }
    expect(await messageOf(packed.subarray(0, 1000))).toMatch(/^damaged: /)
    const changed = packed.slice()
    changed[changed.length >> 1] ^= 0xff
    expect(await messageOf(changed)).toMatch(/^damaged: /)
    expect(await messageOf(gzipSync(new Uint8Array(2 ** 28 + 1), { level: 1 }))).toContain(
      'more than 268435456 bytes are packed in it',
    )
    await expect(readResource(join(folder, 'none'))).rejects.toThrow('ENOENT')
    await expect(readResource(`${address}/none`)).rejects.toThrow('status 404')
    await expect(readResource(`${address}/page`)).rejects.toThrow('HTML page')
  })
})
