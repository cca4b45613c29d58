// The first example of each package's README, as a program.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { root } from '../run-step.mjs'

/** What an example takes as given, by package. */
const GIVEN = {
  'annotate-training': `import '@tensorflow/tfjs-backend-cpu'`,
  kernels: `import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
const x = tf.tensor1d([1, 2])`,
  evaluation: `const grid = 8
const positions = Float32Array.from({ length: 3 * grid * grid }, (_, i) => {
  const [column, row] = [Math.floor(i / 3) % grid, Math.floor(i / 3 / grid)]
  return [10 * column, 10 * row, 3 * Math.sin(column) * Math.cos(row)][i % 3]
})
const triangles = Int32Array.from({ length: 6 * (grid - 1) ** 2 }, (_, i) => {
  const quad = Math.floor(i / 6)
  const at = (quad % (grid - 1)) + grid * Math.floor(quad / (grid - 1))
  return at + [0, 1, grid, 1, grid + 1, grid][i % 6]
})
const face = { positions, triangles }
const scan = { positions: positions.map((value, i) => value + (i % 3)), triangles }
const corners = [0, 7, 56, 63]
const take = (mesh) => Float32Array.from(corners.flatMap((i) => [...mesh.positions.subarray(3 * i, 3 * i + 3)]))
const [faceLandmarks, scanLandmarks] = [take(face), take(scan)]`,
}

/** Programs of the examples: `[package, code]`. Packages whose README has none are left out. */
export async function readmeSnippets(packages) {
  const programs = []
  for (const { folder, name } of packages) {
    const text = await readFile(join(root, 'packages', folder, 'README.md'), 'utf8')
    const example = /^```(?:js|ts)\n([\s\S]*?)^```/m.exec(text)?.[1]
    if (!example) continue
    const { code } = await transform(`${GIVEN[folder] ?? ''}\n${example}`, {
      loader: 'ts',
      format: 'esm',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    })
    // Some leave a pool of threads behind.
    programs.push([name, `${code}\nprocess.exit(0)\n`])
  }
  return programs
}
