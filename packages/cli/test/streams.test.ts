import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardStreams, type GuardedStream } from '@facekit/cli'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CLI = `${process.execPath} --conditions=@facekit/source --import tsx packages/cli/src/main.ts`
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-streams-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs a line of a shell; its exit code is that of the line. */
const shell = (line: string) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    const child = spawn('bash', ['-c', line], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data))
    child.stderr.on('data', (data: Buffer) => (output += data))
    child.on('close', (code) => resolve({ code: code ?? -1, output }))
  })

class Stream extends EventEmitter {
  text = ''
  write(text: string): boolean {
    this.text += text
    return true
  }
}

describe('guardStreams', () => {
  it('value: nothing is written to a stream that was closed, and no error comes of it', () => {
    const [stdout, stderr] = [new Stream(), new Stream()]
    const streams = guardStreams(stdout as GuardedStream, stderr as GuardedStream)
    for (const stream of [stdout, stderr])
      stream.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }))
    streams.stdout.write('a')
    streams.stderr.write('b')
    expect([stdout.text, stderr.text, streams.failed()]).toEqual(['', '', false])
  })

  it('value: a full disk behind stdout is said once', () => {
    const [stdout, stderr] = [new Stream(), new Stream()]
    const streams = guardStreams(stdout as GuardedStream, stderr as GuardedStream)
    for (let i = 0; i < 2; i++) stdout.emit('error', Object.assign(new Error('no'), { code: 'ENOSPC' }))
    expect(streams.failed()).toBe(true)
    expect(stderr.text).toBe('facekit: standard output cannot be written: the disk is full\n')
  })
})

describe.skipIf(process.platform === 'win32')('the command', () => {
  it('value: a reader of both streams that goes away costs no result', async () => {
    const out = join(folder, 'faces')
    const { code } = await shell(
      `set -o pipefail; ${CLI} dataset build --synthetic ${out} --size 32 --count 2 --per-shard 1 --backend wasm 2>&1 | head -1`,
    )
    expect(code).toBe(0)
    expect(existsSync(join(out, 'faces-000001.index.json'))).toBe(true)
    expect(existsSync(join(out, '.facekit-lock'))).toBe(false)
  }, 60_000)

  it.skipIf(!existsSync('/dev/full'))('throws: a full device as stdout is one line', async () => {
    const { code, output } = await shell(`${CLI} --version > /dev/full`)
    expect([code, output]).toEqual([1, 'facekit: standard output cannot be written: the disk is full\n'])
  })

  it('throws: too few file handles are one line', async () => {
    // From source the loader needs handles of its own, and where they end is a matter of how many files there are.
    const outputs: string[] = []
    for (const limit of [36, 38, 40, 42, 46, 50, 56]) {
      const { output } = await shell(`ulimit -n ${limit}; ${CLI} doctor --no-speed`)
      // Frames of our own: Dawn writes where in its sources it stopped.
      expect(output).not.toMatch(/^\s+at .*(\.[jt]s|node:)/m)
      const lines = output.split('\n').filter((line) => line.startsWith('facekit: '))
      expect(lines.length).toBeLessThanOrEqual(1)
      outputs.push(...lines)
    }
    expect(outputs.join()).toMatch(/too many files are open/)
  })
})
