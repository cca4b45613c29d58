import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Bundles scripts of this package for processes and threads: to compile everything anew in each of many takes seconds.
 *
 * @param scripts - names without ending, and sources below the package
 * @returns the folder, where sharp is found; to be removed
 */
export async function bundleScripts(scripts: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(root, 'node_modules/.bundle-'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await build({
    entryPoints: Object.fromEntries(Object.entries(scripts).map(([name, path]) => [name, join(root, path)])),
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@facekit/source'],
    external: ['sharp'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  })
  return folder
}
