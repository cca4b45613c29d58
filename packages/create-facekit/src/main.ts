#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createProject, templates, type TemplateName } from './create-project.js'

const HELP = `Usage: npm create facekit <folder> -- [--template <name>]

Makes a new project. Templates:
${Object.entries(templates)
  .map(([name, text]) => `  ${name.padEnd(10)}${text}`)
  .join('\n')}
`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { template: { type: 'string', short: 't' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) {
    console.log(HELP)
    return
  }
  const folder = positionals[0] ?? (await ask('Folder', 'my-face'))
  const template = values.template ?? (await ask(`Template (${Object.keys(templates).join(', ')})`, 'vite'))
  const files = await createProject({ folder, template: template as TemplateName })
  console.log(`${folder}: ${files.length} files. Next:\n\n  cd ${folder}\n  npm install\n  npm start\n`)
}

/** Asks a person; where there is none, the default is taken. */
async function ask(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) return otherwise
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return (await terminal.question(`${question} [${otherwise}]: `)).trim() || otherwise
  } finally {
    terminal.close()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
