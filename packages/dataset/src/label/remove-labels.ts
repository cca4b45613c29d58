import { isLabelFile } from '../samples/find-samples.js'
import { listFiles } from '../samples/list-files.js'
import { assertNobodyLabels, workFolder } from './label-folder.js'
import { sheetFolder } from './label-plan.js'

/** Removes what `labelFolder` wrote, so that it begins anew; nothing else. Node only.
 *
 * @param prefix - of the shards
 * @throws {LockError} when a process is labelling into the folder
 */
export async function removeLabels(
  out: string,
  { layout = 'shards', prefix = 'faces' }: { layout?: 'shards' | 'beside'; prefix?: string } = {},
): Promise<void> {
  await assertNobodyLabels(out)
  const { readdir, rm } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  for (const folder of [workFolder(out), sheetFolder(out)]) await rm(folder, { recursive: true, force: true })
  const names = await (layout === 'beside' ? listFiles(out) : readdir(out)).catch((): string[] => [])
  const shard = new RegExp(`^${prefix}-\\d{6}\\.(tar|index\\.json)$`)
  for (const name of names) {
    if (layout === 'shards' ? shard.test(name) : isLabelFile(name))
      await rm(`${out}/${name}`, { force: true })
  }
}
