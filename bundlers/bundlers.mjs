// Each bundler with the least settings that an app needs: `build(out)` leaves a site in the folder `out`.
import { spawn } from 'node:child_process'
import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const app = join(here, 'app')
const entry = join(app, 'main.js')
const page = '<!doctype html><meta charset="utf-8"><script type="module" src="/js/main.js"></script>'

const packageFolder = (name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)))

/** esbuild leaves `new URL('./file', import.meta.url)` as it is, so the files must lie where that points to. */
async function copyAssets(out) {
  const engine = join(packageFolder('@facekit/engine'), 'dist')
  for (const file of await readdir(engine))
    if (file.endsWith('.wasm')) await cp(join(engine, file), join(out, 'js', file))
  await cp(join(packageFolder('@facekit/annotate'), 'weights'), join(out, 'weights'), { recursive: true })
  await cp(join(packageFolder('@facekit/base-model'), 'data'), join(out, 'data'), { recursive: true })
}

async function esbuild(out) {
  const { build } = await import('esbuild')
  await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    outdir: join(out, 'js'),
    logLevel: 'error',
  })
  await copyAssets(out)
  await writeFile(join(out, 'index.html'), page)
}

async function vite(name, out) {
  const { build } = await import(name)
  await build({
    configFile: false,
    root: app,
    logLevel: 'error',
    build: { outDir: out, target: 'es2022', assetsInlineLimit: 0 },
  })
}

async function webpack(out) {
  const { default: bundle } = await import('webpack')
  const stats = await new Promise((resolve, reject) => {
    const settings = {
      mode: 'production',
      context: here,
      entry,
      output: { path: join(out, 'js'), filename: 'main.js' },
      performance: false,
    }
    bundle(settings, (error, result) => (error ? reject(error) : resolve(result)))
  })
  if (stats.hasErrors()) throw new Error(stats.toString({ preset: 'errors-only', colors: false }))
  await writeFile(join(out, 'index.html'), page)
}

async function rollup(out) {
  const { rollup: bundle } = await import('rollup')
  const { default: commonjs } = await import('@rollup/plugin-commonjs')
  const { nodeResolve } = await import('@rollup/plugin-node-resolve')
  const { importMetaAssets } = await import('@web/rollup-plugin-import-meta-assets')
  const plugins = [nodeResolve({ browser: true }), commonjs(), importMetaAssets()]
  const result = await bundle({ input: entry, plugins, onwarn: () => {} })
  await result.write({ dir: join(out, 'js'), format: 'es' })
  await result.close()
  await writeFile(join(out, 'index.html'), page)
}

async function next() {
  const cli = join(packageFolder('next'), 'dist/bin/next')
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  const child = spawn(process.execPath, [cli, 'build', join(here, 'next')], { env, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  for (const folder of ['.next', 'out'])
    await rm(join(here, 'next', folder), { recursive: true, force: true })
  if (code !== 0) throw new Error(output)
}

/** Bundlers by name; `run: false` where the site is only built. */
export const bundlers = {
  esbuild: { build: esbuild },
  'vite 7': { build: (out) => vite('vite', out) },
  'vite 8': { build: (out) => vite('vite8', out) },
  'webpack 5': { build: webpack },
  rollup: { build: rollup },
  next: { build: next, run: false },
}
