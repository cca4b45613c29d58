import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))

/** Every document that users and contributors read. */
const documents = [
  ...markdownIn('.'),
  ...markdownIn('docs'),
  ...markdownIn('docs/benchmarks'),
  ...['packages', 'examples'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => markdownIn(join(group, name))),
  ),
]

const api = JSON.parse(text('docs/api.json')) as Record<string, object>

/** Doc comments of a package's sources, with where they are. */
function docComments(): { where: string; lines: string[] }[] {
  const files = readdirSync(join(root, 'packages'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /packages\/[a-z-]+\/src\//.test(path) && !path.includes('node_modules'))
  return files.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(([, body]) => ({
      where: path.slice(root.length),
      lines: body.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd()),
    })),
  )
}

describe('the docstrings', () => {
  it('value: what is differentiable and who owns the memory are block tags', () => {
    const plain = docComments().filter(({ lines }) =>
      lines.some((line) => /(^|[.)] )(Differentiable|Memory): /.test(line)),
    )
    expect(plain.map(({ where }) => where)).toEqual([])
  })

  it('value: no paragraph follows a block tag, which would swallow it', () => {
    const swallowed = docComments().filter(({ lines }) => {
      let tag = ''
      let gap = false
      return lines.some((line) => {
        const [, found] = line.match(/^@(\w+)/) ?? []
        if (found) [tag, gap] = [found, false]
        else if (line === '') gap = true
        else return gap && tag !== '' && tag !== 'example'
        return false
      })
    })
    expect(swallowed.map(({ where, lines }) => `${where}: ${lines[0]}`)).toEqual([])
  })
})

describe('the documents', () => {
  it.each(documents)('value: what %s imports and links to is there', (path) => {
    const source = text(path)
    const wrong: string[] = []
    for (const [, names, name] of source.matchAll(
      /import (?:type )?\{([^}]*)\} from '@facekit\/([a-z-]+)'/g,
    )) {
      const wanted = names.split(',').map((part) => part.trim().replace(/^type /, ''))
      for (const each of wanted)
        if (each && !(each in (api[name] ?? {}))) wrong.push(`${each} of @facekit/${name}`)
    }
    for (const [, target] of source.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      if (!existsSync(join(root, dirname(path), target))) wrong.push(`link to ${target}`)
    }
    expect(wrong).toEqual([])
  })

  it('value: the snippet of the README compiles without a cast, and runs', () => {
    const [, snippet] = text('README.md').match(/```ts\n([\s\S]*?)```/)!
    expect(snippet).not.toMatch(/\bas\b(?! tf)/)
    const folder = mkdtempSync(join(root, 'packages/testing/snippet-'))
    try {
      const file = join(folder, 'snippet.ts')
      writeFileSync(file, `${snippet}\nprocess.exit(0)\n`)
      const base = ts.readConfigFile(join(root, 'tsconfig.base.json'), (name) => readFileSync(name, 'utf8'))
      const { options } = ts.parseJsonConfigFileContent({ ...base.config, files: [] }, ts.sys, root)
      const program = ts.createProgram([file], options)
      const faults = ts.getPreEmitDiagnostics(program, program.getSourceFile(file))
      expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
      const run = ['--conditions=@facekit/source', '--import', 'tsx', file]
      expect(execFileSync(process.execPath, run, { encoding: 'utf8', cwd: root })).toMatch(/Tensor\s+\[\[/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
