import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The pnpm that the repository is made with; npx fetches it where it is missing. */
export const pnpm = ['npx', '-y', 'pnpm@12.21.0']

/** Runs a command with its output shown; resolves to its exit code. */
export function run(command, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { cwd: root, stdio: 'inherit', ...options })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/** Installs all dependencies as the lockfile says. */
export async function install() {
  console.log('== install')
  const code = await run([...pnpm, 'install', '--frozen-lockfile'])
  if (code !== 0) {
    console.error('facekit: the dependencies could not be installed')
    process.exit(code)
  }
}
