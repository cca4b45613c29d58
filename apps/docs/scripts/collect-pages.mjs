// Brings the pages of the site together in .content: those of apps/docs/pages, docs/*.md, the README of each package, model cards. Links between files of the
// repository become links between pages, or to the repository; a link to a file that is not there fails.
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
const content = fileURLToPath(new URL('../.content', import.meta.url))
const REPOSITORY = 'https://github.com/facekit/facekit'

/** Which file of the repository is which page. */
async function pageMap() {
  const pages = new Map()
  const list = (folder) => readdir(join(root, folder), { withFileTypes: true })
  for (const { name } of (await list('apps/docs/pages')).filter(({ name }) => name.endsWith('.md')))
    pages.set(`apps/docs/pages/${name}`, name)
  for (const { name } of (await list('docs')).filter(({ name }) => name.endsWith('.md')))
    pages.set(`docs/${name}`, `guide/${name}`)
  for (const { name } of (await list('docs/benchmarks')).filter(({ name }) => name.endsWith('.md')))
    pages.set(`docs/benchmarks/${name}`, `benchmarks/${name === 'README.md' ? 'index.md' : name}`)
  for (const { name } of await list('packages')) {
    const manifest = await readFile(join(root, 'packages', name, 'package.json'), 'utf8').catch(() => 'null')
    if (!JSON.parse(manifest) || JSON.parse(manifest).private) continue
    pages.set(`packages/${name}/README.md`, `packages/${name}.md`)
    if (await exists(`packages/${name}/MODEL-CARD.md`))
      pages.set(`packages/${name}/MODEL-CARD.md`, `models/${name}.md`)
  }
  pages.set('GLOSSARY.md', 'glossary.md')
  pages.set('SECURITY.md', 'security.md')
  pages.set('CONTRIBUTING.md', 'contributing.md')
  pages.set('examples/README.md', 'examples.md')
  return pages
}

const exists = (path) =>
  stat(join(root, path)).then(
    () => true,
    () => false,
  )

/** Writes all pages; returns their paths. Throws when a link leads nowhere. */
export async function collectPages() {
  await rm(content, { recursive: true, force: true })
  const pages = await pageMap()
  const dead = []
  for (const [source, page] of pages) {
    const text = await readFile(join(root, source), 'utf8')
    const target = join(content, page)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, await withLinks(text, source, page, pages, dead))
  }
  await cp(join(root, 'docs/images'), join(content, 'public/images'), { recursive: true })
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join('\n')}`)
  return [...pages.values()]
}

/** A page's text with its links led to pages, to pictures of the site, or to the repository. */
async function withLinks(text, source, page, pages, dead) {
  const parts = text.split(/(```[\s\S]*?```|`[^`\n]*`)/)
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 1) continue
    const links = [...part.matchAll(/\]\(([^)\s]+)\)/g)].toReversed()
    let changed = part
    for (const { 1: address, index } of links) {
      const led = await lead(address, source, page, pages)
      if (led === undefined) dead.push(`${source}: ${address}`)
      else changed = `${changed.slice(0, index + 2)}${led}${changed.slice(index + 2 + address.length)}`
    }
    parts[i] = changed
  }
  return parts.join('')
}

/** Where a link leads on the site; undefined if nowhere. */
async function lead(address, source, page, pages) {
  if (/^(https?:|mailto:|#|\/)/.test(address)) return address
  const [path, hash] = address.split('#')
  const file = posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, '')
  const target = pages.get(file) ?? pages.get(`${file}/README.md`)
  if (target) {
    const there = relative(dirname(join(content, page)), join(content, target))
    return `${there.startsWith('.') ? there : `./${there}`}${hash ? `#${hash}` : ''}`
  }
  if (file.startsWith('docs/images/') && (await exists(file))) return file.replace('docs', '')
  if (!(await exists(file))) return undefined
  const kind = (await stat(join(root, file))).isDirectory() ? 'tree' : 'blob'
  return `${REPOSITORY}/${kind}/main/${file}${hash ? `#${hash}` : ''}`
}
