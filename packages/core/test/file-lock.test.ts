import { lockFile, LockError } from '@facekit/core'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('lock-process.ts', import.meta.url))
let folder = ''
let path = ''
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-lock-'))
  path = join(folder, 'lock')
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true })
})

async function start(): Promise<ChildProcess> {
  const child = fork(script, [path], { execArgv: ['--conditions=@facekit/source', '--import', 'tsx'] })
  children.push(child)
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess): Promise<string> {
  child.send('lock')
  const [answer] = (await once(child, 'message')) as [string]
  return answer
}

/** The lock of a process that was killed. */
async function leaveBehind(): Promise<Record<string, unknown>> {
  const child = await start()
  expect(await ask(child)).toBe('held')
  child.kill('SIGKILL')
  await once(child, 'exit')
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}

describe('lockFile', () => {
  it('value: is held once, in this process and in another one, until it is released', async () => {
    const lock = await lockFile(path, 'tests')
    expect(await lock.isHeld()).toBe(true)
    await expect(lockFile(path, 'tests')).rejects.toThrow(LockError)
    expect(await ask(await start())).toMatch(
      /^LockError: .*lock: process \d+ on .* tests; wait for it, or end it$/,
    )
    await lock.release()
    await lock.release()
    expect(await lock.isHeld()).toBe(false)
    expect(await readdir(folder)).toEqual([])
    const again = await lockFile(path, 'tests')
    await again.release()
  })

  it('value: a lock whose process was killed is taken over, by one of many that find it at once', async () => {
    const racers = await Promise.all(Array.from({ length: 5 }, start))
    expect(await ask(racers[0])).toBe('held')
    let [winner, others] = [racers[0], racers.slice(1)]
    while (others.length > 1) {
      winner.kill('SIGKILL')
      await once(winner, 'exit')
      const answers = await Promise.all(others.map(ask))
      expect(answers.filter((answer) => answer.startsWith('LockError'))).toHaveLength(others.length - 1)
      winner = others[answers.indexOf('held')]
      others = others.filter((racer) => racer !== winner)
    }
  }, 60_000)

  it('value: a process that has the number of the holder, but began later, is not the holder', async () => {
    const left = await leaveBehind()
    await writeFile(path, JSON.stringify({ ...left, process: process.pid }))
    const lock = await lockFile(path, 'tests')
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
  })

  it('value: a lock of another machine holds while it is renewed', async () => {
    const left = await leaveBehind()
    await writeFile(path, JSON.stringify({ ...left, host: 'elsewhere' }))
    await expect(lockFile(path, 'tests')).rejects.toThrow(
      `process ${String(left.process)} on elsewhere tests`,
    )
    const old = new Date(Date.now() - 400_000)
    await utimes(path, old, old)
    const lock = await lockFile(path, 'tests')
    await lock.release()
    // Its owner's clock was set back.
    await writeFile(path, JSON.stringify({ ...left, host: 'elsewhere' }))
    const future = new Date(Date.now() + 400_000)
    await utimes(path, future, future)
    await (await lockFile(path, 'tests')).release()
  })

  it('value: a lock without a readable owner is one that is being written, for five seconds', async () => {
    await writeFile(path, '')
    const started = performance.now()
    await (await lockFile(path, 'tests')).release()
    expect(performance.now() - started).toBeGreaterThan(4000)
    const old = new Date(Date.now() - 6000)
    await writeFile(path, '{"host":"a","process":{},"token":null}')
    await utimes(path, old, old)
    await (await lockFile(path, 'tests')).release()
    expect(await readdir(folder)).toEqual([])
  }, 20_000)

  it('value: a process that was killed while it took over does not block', async () => {
    const left = await leaveBehind()
    // The claim of such a process, which is gone too.
    await writeFile(`${path}.${String(left.token)}`, JSON.stringify({ ...left, token: 'aaaaaaaaaa' }))
    const lock = await lockFile(path, 'tests')
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('value: knows that its folder was removed or the lock replaced', async () => {
    const lock = await lockFile(path, 'tests')
    await writeFile(path, '{}')
    expect(await lock.isHeld()).toBe(false)
    await rm(path)
    expect(await lock.isHeld()).toBe(false)
    await lock.release()
    await expect(lockFile(join(folder, 'none', 'lock'), 'tests')).rejects.toThrow('ENOENT')
  })
})
