import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('resume-process.ts', import.meta.url))

/** Losses by iteration, as text: equal to the bit, or not equal. */
type Losses = Map<number, string>

/** Runs the training, and kills it once it has printed so many lines, at once or a moment later.
 *
 * @returns whether it came to its end */
async function run(
  folder: string,
  iterations: number,
  losses: Losses,
  kill?: { after: number; delay: number },
) {
  const arguments_ = ['--conditions=@facekit/source', '--import', 'tsx', script, folder, String(iterations)]
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = 0
  let text = ''
  let conflict: string | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    const lines = text.split('\n')
    text = lines.pop()!
    for (const line of lines) {
      const [iteration, loss] = line.split(' ')
      const before = losses.get(Number(iteration))
      if (before !== undefined && before !== loss)
        conflict = `iteration ${iteration}: ${before}, then ${loss}`
      losses.set(Number(iteration), loss)
      if (kill && ++printed === kill.after) setTimeout(() => child.kill('SIGKILL'), kill.delay)
    }
  })
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_, name) => resolve(name)))
  if (conflict !== undefined) throw new Error(conflict)
  return signal === null
}

/** Kills a training again and again, resumes it, and compares its losses with those of one that was left in peace.
 *
 * @param moment - draws when: after how many lines, and milliseconds more
 * @returns how often it was killed
 * @throws {Error} when a loss differs in any bit
 */
export async function killAndResume(
  kills: number,
  iterations: number,
  moment: () => { after: number; delay: number },
): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'facekit-kill-'))
  try {
    const [whole, pieces]: [Losses, Losses] = [new Map(), new Map()]
    if (!(await run(join(root, 'whole'), iterations, whole))) throw new Error('the training died by itself')
    let killed = 0
    let ended = false
    while (killed < kills && !ended) {
      ended = await run(join(root, 'pieces'), iterations, pieces, moment())
      if (!ended) killed++
    }
    if (!ended) await run(join(root, 'pieces'), iterations, pieces)
    for (let i = 1; i <= iterations; i++) {
      if (pieces.get(i) !== whole.get(i))
        throw new Error(`iteration ${i}: ${whole.get(i)}, then ${pieces.get(i)}`)
    }
    const log = await readFile(join(root, 'pieces', 'log.jsonl'), 'utf8')
    const logged = log
      .split('\n')
      .flatMap((line) => (line.includes('"loss"') ? [JSON.parse(line).iteration] : []))
    if (logged.length !== iterations || logged.some((iteration, i) => iteration !== i + 1))
      throw new Error(`the log has iterations ${logged.join()}`)
    return killed
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
