/** A process, told apart from every other one, also from a later one of the same number. */
export interface ProcessIdentity {
  /** Machine, its start, and the space of process numbers (containers have their own). */
  host: string
  process: number
  /** When the process began, as the system counts; empty where the system does not say. */
  start: string
}

let own: Promise<ProcessIdentity> | undefined

/** Identity of this process. Node only. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= (async () => {
    const { hostname } = await import(/* webpackIgnore: true */ 'node:os')
    const { readFile, readlink } = await import(/* webpackIgnore: true */ 'node:fs/promises')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    const space = await readlink('/proc/self/ns/pid').catch(() => '')
    return {
      host: [hostname(), boot.trim(), space].filter(Boolean).join(' '),
      process: process.pid,
      start: await startOf(process.pid),
    }
  })()
  return own
}

/** Whether a process of this machine still runs.
 *
 * @returns undefined when that cannot be told from here: it is of another machine, or of a system that does not say when a process began
 */
export async function isRunning(identity: ProcessIdentity): Promise<boolean | undefined> {
  if (identity.host !== (await ownIdentity()).host) return undefined
  if (!isAlive(identity.process)) return false
  const start = await startOf(identity.process)
  if (start === '' || identity.start === '') return undefined
  return start === identity.start
}

function isAlive(id: number): boolean {
  if (!(id > 0)) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 22 of Linux's /proc/PID/stat: clock ticks since the machine started. The name before it may hold spaces and brackets. */
async function startOf(id: number): Promise<string> {
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
