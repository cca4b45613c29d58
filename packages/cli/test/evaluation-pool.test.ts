import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { evaluateInProcesses, type EvaluateSettings } from '@facekit/cli'
import type { CaseResult } from '@facekit/evaluation'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A worker that dies over "always", cannot compute "broken", and over "once" the first time, and never ends "slow"; its score is how many threads it was given. */
const WORKER = `
import { existsSync, writeFileSync } from 'node:fs'
let mark, given
process.on('message', ({ kind, settings, threads, id, methods }) => {
  if (kind === 'start') {
    mark = settings.out
    given = threads
    return process.send({ kind: 'ready' })
  }
  const isSecond = existsSync(mark)
  if (id === 'once') writeFileSync(mark, '')
  if (id === 'always' || (id === 'once' && !isSecond)) process.kill(process.pid, 'SIGKILL')
  else if (id === 'slow') writeFileSync(mark + process.pid, '')
  else if (id === 'broken') process.send({ kind: 'failed', message: 'broken, fit: the device is lost' })
  else process.send({ kind: 'done', results: methods.map(({ name }) => ({ id, group: 'all', method: name, problems: [], scores: { threads: given } })) })
})
process.on('disconnect', () => process.exit(0))
`
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-pool-'))
  await writeFile(join(folder, 'worker.mjs'), WORKER)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('evaluateInProcesses', () => {
  it('value: a face whose process dies is scored by another one; if that dies too, or cannot compute, it says so and is not kept', async () => {
    const found: [CaseResult, boolean][] = []
    const workers = 2
    await evaluateInProcesses(
      pathToFileURL(join(folder, 'worker.mjs')),
      { out: join(folder, 'mark') } as EvaluateSettings,
      ['once', 'always', 'broken', 'well'].map((id) => ({ id, group: 'all', methods: [{ name: 'fit' }] })),
      workers,
      async ([result], isFinal) => void found.push([result, isFinal]),
      new AbortController().signal,
    )
    const of = (id: string) => found.find(([result]) => result.id === id)
    expect(found).toHaveLength(4)
    // Those of all workers together are not more than there are processors, if there are as many as workers.
    const threads = Math.max(1, Math.floor(availableParallelism() / workers))
    expect(of('well')).toMatchObject([{ problems: [], scores: { threads } }, true])
    expect(of('once')).toMatchObject([{ problems: [], scores: {} }, true])
    expect(of('broken')).toMatchObject([{ problems: ['broken, fit: the device is lost'] }, false])
    expect(of('always')).toMatchObject([{ problems: [expect.stringMatching(/ended with SIGKILL/)] }, false])
  })
  it('throws: what its caller throws ends the work, and no process goes on', async () => {
    const mark = join(folder, 'slow-')
    const work = evaluateInProcesses(
      pathToFileURL(join(folder, 'worker.mjs')),
      { out: mark } as EvaluateSettings,
      ['well', 'slow', 'slow', 'slow'].map((id) => ({ id, group: 'all', methods: [{ name: 'fit' }] })),
      3,
      async () => {
        // Both others are at work by now.
        while ((await slow()).length < 2) await sleep(20)
        throw new Error('the folder is gone')
      },
      new AbortController().signal,
    )
    const slow = async () => (await readdir(folder)).filter((name) => name.startsWith('slow-'))
    await expect(work).rejects.toThrow('the folder is gone')
    // In place of those that were ended another one would be started now.
    await sleep(1500)
    const left = (await slow()).map((name) => Number(name.slice('slow-'.length)))
    expect(left).toHaveLength(2)
    for (const id of left) expect(() => process.kill(id, 0)).toThrow('ESRCH')
  }, 30_000)
})
