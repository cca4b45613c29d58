// `npm install facekit` in an empty folder: how much it brings, and that a photograph becomes a face with nothing else.
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, run } from '../run-step.mjs'
import { runQuietly } from './run-quietly.mjs'

/** Of node_modules, MB on the disk. */
const CEILING = 90

const PROGRAM = `import { writeFile } from 'node:fs/promises'
import { reconstruct } from 'facekit'
const face = await reconstruct('me.jpg', { iterations: 4, texture: 256 })
const glb = await face.glb()
await writeFile('me.glb', glb)
if (String.fromCharCode(...glb.subarray(0, 4)) !== 'glTF') throw new Error('no GLB')
if (face.parameters.backend !== 'wasm') throw new Error(face.parameters.backend)
process.exit(0)
`

const TYPED = `import { reconstruct, type Face } from 'facekit'
const face: Face = await reconstruct('me.jpg', { texture: 512 })
export const scale: number = face.parameters.pose.scale
`

/** Checks in words: `[holds, what]`. */
export async function* checkFrontDoor(folder, tarball, photograph) {
  await mkdir(folder)
  await copyFile(photograph, join(folder, 'me.jpg'))
  const manifest = { private: true, type: 'module', dependencies: { facekit: `file:${tarball}` } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  const install = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts']
  const code = await run(install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  yield [code === 0, 'facekit alone, installed by npm']
  if (code !== 0) return
  const megabytes = (await size(join(folder, 'node_modules'))) / 1e6
  yield [megabytes <= CEILING, `facekit alone: ${megabytes.toFixed(1)} MB, at most ${CEILING}`]
  await writeFile(join(folder, 'program.mjs'), PROGRAM)
  const output = await runQuietly(['node', 'program.mjs'], folder)
  yield [output === undefined, `facekit alone: a photograph becomes a GLB${output ? `: ${output}` : ''}`]
  await writeFile(join(folder, 'typed.ts'), TYPED)
  const tsc = ['node', join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict']
  for (const resolution of ['bundler', 'nodenext']) {
    const kind = ['--target', 'es2022', '--module', resolution === 'bundler' ? 'esnext' : resolution]
    const command = [...tsc, ...kind, '--moduleResolution', resolution, 'typed.ts']
    const problems = await runQuietly(command, folder)
    yield [
      problems === undefined,
      `facekit alone: types, resolution ${resolution}${problems ? `: ${problems}` : ''}`,
    ]
  }
}

/** Bytes of all files below a folder. */
async function size(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))))
  return sizes.reduce((sum, { size: bytes }) => sum + bytes, 0)
}
