// Projects as a stranger has them: an empty folder, the tarballs installed by npm, pnpm or yarn.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pnpm, run } from '../run-step.mjs'

/** Commands of the package managers; npx fetches those that are not there. */
const MANAGERS = {
  npm: ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'],
  pnpm: [...pnpm, 'install', '--ignore-scripts'],
  yarn: ['npx', '-y', 'yarn@1.22.22', 'install', '--ignore-scripts', '--non-interactive'],
}

export const managers = Object.keys(MANAGERS)

/** Makes a project in a folder and installs all tarballs and what they ask their users to bring.
 *
 * @returns whether that went well
 */
export async function installFresh(manager, folder, packages, tarballs) {
  const files = Object.fromEntries(packages.map(({ name }) => [name, `file:${tarballs[name]}`]))
  const peers = {}
  for (const { manifest } of packages) {
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {}))
      if (!files[name] && !manifest.peerDependenciesMeta?.[name]?.optional) peers[name] = range
  }
  // The examples of READMEs bring a backend.
  const backends = { '@tensorflow/tfjs-backend-cpu': '4.22.0', '@tensorflow/tfjs-backend-wasm': '4.22.0' }
  const manifest = {
    name: `fresh-${manager}`,
    private: true,
    type: 'module',
    dependencies: { ...backends, ...peers, '@tensorflow/tfjs-layers': '4.22.0', ...files },
    // Packages that need each other are not in a registry yet.
    ...(manager === 'yarn' && { resolutions: files }),
  }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2))
  if (manager === 'pnpm') {
    const overrides = Object.entries(files).map(([name, file]) => `  '${name}': '${file}'`)
    const text = ['packages: []', 'strictDepBuilds: false', 'pmOnFail: ignore', 'overrides:', ...overrides]
    await writeFile(join(folder, 'pnpm-workspace.yaml'), text.join('\n') + '\n')
  }
  return (await run(MANAGERS[manager], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })) === 0
}
