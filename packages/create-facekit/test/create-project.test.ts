import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createProject, templates, type TemplateName } from 'create-facekit'
import { build, defaultClientConditions } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url))
/** The projects run on the workspace's sources. */
const SOURCES = [
  '--conditions=@facekit/source',
  '--import',
  join(WORKSPACE, 'node_modules/tsx/dist/esm/index.mjs'),
]

const FRONT_DOOR = join(WORKSPACE, 'packages/facekit')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'create-facekit-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A new project whose packages are the workspace's. */
async function create(template: TemplateName): Promise<string> {
  const project = join(folder, template)
  await createProject({ folder: project, template })
  const { dependencies } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    const link = join(project, 'node_modules', name)
    const own = join(WORKSPACE, 'packages', name.replace('@facekit/', ''))
    const target = existsSync(own)
      ? own
      : [join(WORKSPACE, 'node_modules', name), join(WORKSPACE, 'packages/engine/node_modules', name)].find(
          existsSync,
        )
    expect([name, target]).not.toContain(undefined)
    await mkdir(join(link, '..'), { recursive: true })
    await symlink(target!, link)
  }
  return project
}

describe('createProject', () => {
  it('value: each template is a project with a name, versions and a .gitignore', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    for (const template of Object.keys(templates) as TemplateName[]) {
      const project = join(folder, `Plain ${template}!`)
      const files = await createProject({ folder: project, template })
      expect(files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json']))
      const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
      expect(manifest.name).toBe(`plain-${template}`)
      expect(manifest.scripts.start).toBeTruthy()
      const versions = Object.entries(manifest.dependencies).filter(([name]) => name.includes('facekit'))
      for (const [name, range] of versions) expect([name, range]).toEqual([name, `^${version}`])
    }
  })

  it('throws: an unknown template, and a folder with something in it, which is left alone', async () => {
    await expect(
      createProject({ folder: join(folder, 'x'), template: 'php' as TemplateName }),
    ).rejects.toThrow(/"php", expected one of vite, node, training/)
    const full = join(folder, 'full')
    await mkdir(full)
    await writeFile(join(full, 'thesis.md'), 'years')
    await expect(createProject({ folder: full, template: 'node' })).rejects.toThrow(
      /not empty \(thesis\.md\)/,
    )
    expect(await readdir(full)).toEqual(['thesis.md'])
  })

  it('value: the command says what comes next, and fails with one line', async () => {
    const main = [...SOURCES, fileURLToPath(new URL('../src/main.ts', import.meta.url))]
    const target = join(folder, 'by-command')
    const { stdout } = await run(process.execPath, [...main, target, '--template', 'node'])
    expect(stdout).toContain('npm install')
    const failed = await run(process.execPath, [...main, target, '-t', 'node']).catch((error) => error)
    expect(failed.code).toBe(1)
    expect(failed.stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('the projects', () => {
  it.skipIf(!existsSync(FRONT_DOOR))('value: the web app is built', async () => {
    const project = await create('vite')
    // As it is published: with other settings the worker of the sources could be bundled, which an app does not have.
    const front = join(project, 'node_modules/facekit')
    await rm(front)
    await mkdir(front)
    const {
      exports: _,
      publishConfig,
      ...manifest
    } = JSON.parse(await readFile(join(FRONT_DOOR, 'package.json'), 'utf8'))
    await writeFile(
      join(front, 'package.json'),
      JSON.stringify({ ...manifest, exports: publishConfig.exports }),
    )
    const bundle = ['--import', SOURCES[2], join(FRONT_DOOR, 'scripts/bundle.ts'), join(front, 'dist')]
    await run(process.execPath, bundle)
    await build({
      root: project,
      logLevel: 'error',
      resolve: { conditions: ['@facekit/source', ...defaultClientConditions] },
      build: { reportCompressedSize: false },
    })
    expect(await readdir(join(project, 'dist/assets'))).toContainEqual(
      expect.stringMatching(/^dense-landmarks.*\.safetensors.*\.gz$/),
    )
    const page = await readFile(join(project, 'dist/index.html'), 'utf8')
    expect(page).toMatch(/src="\/assets\/index-[\w-]+\.js"/)
    expect(page).toContain('<facekit-viewer')
  })

  it('value: the training trains, writes its network, and its own loss counts', async () => {
    const project = await create('training')
    const { stdout } = await run(process.execPath, [...SOURCES, 'train.js', '2'], { cwd: project })
    expect(stdout).toMatch(/2: loss [\d.]+, my loss [\d.]+/)
    expect(await readdir(join(project, 'runs/first'))).toEqual(
      expect.arrayContaining(['regressor.safetensors', 'report.html']),
    )
    // Seconds of processor time, but a minute and more on a busy machine.
  }, 240_000)

  it.skipIf(!existsSync(FRONT_DOOR))('value: the script makes a .glb of a photograph', async () => {
    const project = await create('node')
    const photograph = join(WORKSPACE, 'node_modules/@vladmandic/face-api/demo/sample6.jpg')
    await run(process.execPath, [...SOURCES, 'reconstruct.js', photograph], { cwd: project })
    expect((await readFile(join(project, 'sample6.glb'))).subarray(0, 4).toString()).toBe('glTF')
    expect(
      JSON.parse(await readFile(join(project, 'sample6.json'), 'utf8')).metrics.landmarkError,
    ).toBeLessThan(0.1)
    const failed = await run(process.execPath, [...SOURCES, 'reconstruct.js', 'missing.jpg'], {
      cwd: project,
    }).catch((error) => error)
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('missing.jpg')
  })
})
