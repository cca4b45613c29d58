import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Files of `public/` that the page shows. */
const PUBLIC = ['icon.svg', 'app.webmanifest', 'examples/1.jpg', 'examples/2.jpg', 'examples/3.jpg']
/** What no page loads: notices, and code that needs cross-origin isolation. */
const LEFT_OUT = /NOTICE|\.txt$|\.map$|threaded|^index\.html$/

/** Writes the service worker, with the names of all files that it keeps. */
export const serviceWorker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  generateBundle: {
    order: 'post',
    async handler(_, bundle) {
      const files = ['./', ...PUBLIC, ...Object.keys(bundle).filter((name) => !LEFT_OUT.test(name))]
      const source = await readFile(at('../src/service-worker.js'), 'utf8')
      const names = files.map((name) => JSON.stringify(name)).join(', ')
      this.emitFile({
        type: 'asset',
        fileName: 'service-worker.js',
        source: source.replace('/* files */', names),
      })
    },
  },
}
