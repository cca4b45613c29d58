// What TypeScript sees of the packed packages, by Are The Types Wrong.
import { readFile } from 'node:fs/promises'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'

/** How these packages are meant to be imported: as ES modules by Node 16's rules or a bundler's. CommonJS loads them by Node 20's
 * `require(esm)`, and the oldest rules of TypeScript know no `exports`. */
const MEANT = new Set(['node16-esm', 'bundler'])

/** Problems of a tarball, one line each. */
export async function typeProblems(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))))
  if (!analysis.types) return ['has no types']
  return (
    analysis.problems
      // Weights and models have no types.
      .filter(({ entrypoint }) => !entrypoint?.endsWith('.safetensors'))
      .filter(({ resolutionKind }) => resolutionKind === undefined || MEANT.has(resolutionKind))
      .map(({ kind, entrypoint, resolutionKind }) =>
        `${kind} ${entrypoint ?? ''} ${resolutionKind ?? ''}`.trim(),
      )
  )
}
