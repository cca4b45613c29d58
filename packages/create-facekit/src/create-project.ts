import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Projects that can be made, and what each is. */
export const templates = {
  vite: 'web app: a photograph in, a face to turn and to light (Vite)',
  node: 'script for Node: a photograph in, a .glb file out',
  training: 'training: a network learns faces from rendered pictures and your own loss',
} as const

export type TemplateName = keyof typeof templates

/** What is to be made. */
export interface ProjectOptions {
  /** Path of the folder; made if it is not there. */
  folder: string
  template: TemplateName
}

/** Folders that count as empty with these in them. */
const HARMLESS = new Set(['.git', '.DS_Store'])

/** Writes a new project into a folder.
 *
 * @returns the names of the files
 * @throws {Error} when the template is unknown, or the folder has something in it
 */
export async function createProject({ folder, template }: ProjectOptions): Promise<string[]> {
  if (!Object.hasOwn(templates, template))
    throw new Error(
      `create-facekit: template is "${template}", expected one of ${Object.keys(templates).join(', ')}`,
    )
  const target = resolve(folder)
  await mkdir(target, { recursive: true })
  const there = (await readdir(target)).filter((name) => !HARMLESS.has(name))
  if (there.length > 0)
    throw new Error(`create-facekit: ${target} is not empty (${there[0]}); choose another folder`)
  await cp(fileURLToPath(new URL(`../templates/${template}`, import.meta.url)), target, { recursive: true })
  // npm leaves files of this name out of packages.
  await rename(join(target, '_gitignore'), join(target, '.gitignore'))
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'))
  manifest.name = packageName(target)
  const version = `^${await ownVersion()}`
  for (const dependencies of [manifest.dependencies, manifest.devDependencies]) {
    for (const name of Object.keys(dependencies ?? {}))
      if (dependencies[name] === 'facekit-version') dependencies[name] = version
  }
  await writeFile(join(target, 'package.json'), JSON.stringify(manifest, undefined, 2) + '\n')
  return (await readdir(target, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(target.length + 1))
    .toSorted()
}

/** All packages of facekit have one version. */
async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return JSON.parse(text).version
}

/** A name that npm takes, from the folder's. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name || 'my-face'
}
