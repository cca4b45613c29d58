import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDataset, writeShards } from '@facekit/dataset'
import { bundleScripts } from './bundle-scripts.js'
import { tinySample } from './tiny-samples.js'

let folder: string
let scripts: string
let dying: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-threads-'))
  scripts = await bundleScripts({
    'batches-in-threads': 'test/batches-in-threads.ts',
    'batch-worker': 'src/batches/batch-worker.ts',
  })
  dying = await bundleScripts({
    'batches-in-threads': 'test/batches-in-threads.ts',
    'batch-worker': 'test/dying-batch-worker.ts',
    'living-batch-worker': 'src/batches/batch-worker.ts',
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  for (const bundle of [scripts, dying]) await rm(bundle, { recursive: true, force: true })
})

/** What the script prints. */
async function run(bundle: string, dataset: string, threads: number): Promise<string[]> {
  const script = join(bundle, 'batches-in-threads.js')
  const { stdout } = await promisify(execFile)(process.execPath, [script, dataset, String(threads)], {
    timeout: 20_000,
  })
  return stdout.trim().split('\n')
}

describe('batches read by threads', () => {
  it('value: are those of one thread, and a bad sample is told', async () => {
    const { shards } = await writeShards(
      Array.from({ length: 9 }, (_, i) => tinySample(i)),
      folder,
    )
    const { entries } = await openDataset(folder)
    const { files } = entries[4].location as { files: Record<string, [number, number]> }
    const bytes = await readFile(shards[0])
    bytes.fill(1, files['mask.png'][0], files['mask.png'][0] + 50)
    await writeFile(shards[0], bytes)
    const [none, two] = [await run(scripts, folder, 0), await run(scripts, folder, 2)]
    expect(two).toEqual(none)
    expect(two[3]).toMatch(/sample-0004.*mask.png/)
  })

  it('value: are the same when every thread dies over its third sample', async () => {
    const whole = join(folder, 'whole')
    await writeShards(
      Array.from({ length: 9 }, (_, i) => tinySample(i)),
      whole,
    )
    expect(await run(dying, whole, 2)).toEqual(await run(scripts, whole, 0))
  })
})
