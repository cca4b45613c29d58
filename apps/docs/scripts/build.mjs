// Builds the site into .vitepress/dist, without a network: pages, then the functions of all packages by TypeDoc under /api/.
//   node apps/docs/scripts/build.mjs            all
//   node apps/docs/scripts/build.mjs --no-api   the pages alone, in seconds
import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { collectPages, root } from './collect-pages.mjs'

const site = fileURLToPath(new URL('..', import.meta.url))
const pages = await collectPages()
// A link to a page that is not there fails the build.
await build(site)
console.log(`${pages.length} pages in ${join(site, '.vitepress/dist')}`)
if (!process.argv.includes('--no-api')) {
  const api = join(site, '.vitepress/dist/api')
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
  const code = await new Promise((resolve) => {
    spawn(process.execPath, [typedoc, '--out', api], { cwd: root, stdio: 'inherit' }).on('close', resolve)
  })
  if (code !== 0) throw new Error('TypeDoc failed')
  await stat(join(api, 'index.html'))
}
