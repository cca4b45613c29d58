import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OutputFolders } from '@facekit/cli'

// A run that is killed between the two renames by which a result is replaced: node ... dying-output.ts <folder>
const root = process.argv[2]
await mkdir(join(root, 'me', 'face-1'), { recursive: true })
await writeFile(join(root, 'me', 'face-1', 'by.txt'), 'before')
const folders = await OutputFolders.open(root, ['me'], true)
await folders.start('me')
for (const name of await readdir(root)) {
  const inside = await readdir(join(root, name)).catch((): string[] => [])
  if (name.startsWith('.facekit-run-') && inside.includes('me'))
    await rename(join(root, 'me'), join(root, name, 'me.old'))
}
process.kill(process.pid, 'SIGKILL')
