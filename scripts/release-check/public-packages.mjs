import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pnpm, root, run } from '../run-step.mjs'

/** The packages that are published: folder, name, manifest. */
export async function publicPackages() {
  const packages = []
  for (const folder of (await readdir(join(root, 'packages'))).toSorted()) {
    const text = await readFile(join(root, 'packages', folder, 'package.json'), 'utf8').catch(() => 'null')
    const manifest = JSON.parse(text)
    if (manifest && !manifest.private) packages.push({ folder, name: manifest.name, manifest })
  }
  return packages
}

/** Packs them into a folder, as they would be published. Resolves to the path of each by name. */
export async function packAll(packages, destination) {
  const packing = ['--filter', './packages/*', '-r', 'pack', '--pack-destination', destination]
  if ((await run([...pnpm, ...packing], { stdio: 'ignore' })) !== 0) throw new Error('pnpm pack failed')
  return Object.fromEntries(
    packages.map(({ name, manifest: { version } }) => [
      name,
      join(destination, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`),
    ]),
  )
}
