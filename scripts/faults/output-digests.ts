import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FaultScenario } from './fault-scenarios.js'

/** SHA-256 of every file in a folder, by its path there, as the scenario compares it. */
export async function digestsOf(
  folder: string,
  { normalize }: FaultScenario,
): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const digests: Record<string, string> = {}
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = normalize(entry.name, await readFile(path))
    if (content === undefined) continue
    digests[path.slice(folder.length + 1)] = createHash('sha256').update(content).digest('hex')
  }
  return digests
}

/** Paths of files that are in one of the folders only, or have another content there. */
export function differencesOf(found: Record<string, string>, expected: Record<string, string>): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)])
  return [...names].filter((name) => found[name] !== expected[name])
}
