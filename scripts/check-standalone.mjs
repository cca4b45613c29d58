// Imports each built package alone, in a plain Node process of its own, and takes a gradient where it deals in tensors.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, run } from './run-step.mjs'

let failed = 0
for (const name of await readdir(join(root, 'packages'))) {
  const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
  if (manifest.private) continue
  // Types alone need no gradients: what counts is what the built package runs.
  const built = await readFile(join(root, 'packages', name, 'dist/index.js'), 'utf8').catch(() => '')
  const tensors =
    built.includes("from '@tensorflow/tfjs-core'") || built.includes('from "@tensorflow/tfjs-core"')
  const script = `
    const module = await import('${manifest.name}')
    if (Object.keys(module).length === 0 && ${name !== 'cli'}) throw new Error('exports nothing')
    if (import.meta.resolve('${manifest.name}').includes('/src/')) throw new Error('resolves to source, not to dist')
    if (${tensors}) {
      const tf = await import('@tensorflow/tfjs-core')
      await import('@tensorflow/tfjs-backend-cpu')
      const gradient = tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([3]))
      if (gradient.dataSync()[0] !== 6) throw new Error('no gradients')
    }`
  const code = await run(['node', '--input-type=module', '-e', script])
  console.log(`${code === 0 ? 'ok' : 'FAILED'} ${manifest.name}`)
  if (code !== 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1
