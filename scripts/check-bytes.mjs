// What a named import costs, after a build: minified and tree-shaken by esbuild, all chunks counted that the app can load.
import { build } from 'esbuild'
import { root } from './run-step.mjs'

const KILOBYTE = 1000

/** Names, from where, at most how many kB, and what must not come along. */
const ceilings = [
  { name: 'ShapeError', from: '@facekit/core', ceiling: 4 },
  { name: 'readSafetensors', from: '@facekit/core', ceiling: 30 },
  { name: 'encodePng', from: '@facekit/export', ceiling: 30 },
  // three.js for the most part; 176 kB when gzipped.
  { name: 'FaceViewerElement', from: '@facekit/viewer', ceiling: 720, without: 'tfjs-core' },
  { name: 'renderFace', from: '@facekit/render', without: 'h5wasm' },
  { name: 'loadBaseModel', from: '@facekit/base-model', without: 'h5wasm' },
  { name: 'initEngine', from: '@facekit/engine', without: 'h5wasm' },
]

let failed = 0
for (const { name, from, ceiling = Number.POSITIVE_INFINITY, without } of ceilings) {
  const { metafile } = await build({
    stdin: { contents: `export { ${name} } from '${from}'`, resolveDir: root },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    outdir: 'out',
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  const chunks = reachable(metafile.outputs)
  const kilobytes = chunks.reduce((sum, { bytes }) => sum + bytes, 0) / KILOBYTE
  const unwanted = chunks.some(({ inputs }) =>
    Object.keys(inputs).some((path) => path.includes(`/${without}/`)),
  )
  const holds = kilobytes <= ceiling && !unwanted
  const limit = Number.isFinite(ceiling) ? `, at most ${ceiling}` : ''
  const rest = without ? `, ${unwanted ? 'with' : 'without'} ${without}` : ''
  console.log(`${holds ? 'ok' : 'FAILED'} ${name} of ${from}: ${kilobytes.toFixed(1)} kB${limit}${rest}`)
  if (!holds) failed++
}
process.exitCode = failed === 0 ? 0 : 1

/** The chunks that the entry imports, at once or later. esbuild also writes chunks of code that tree-shaking removed. */
function reachable(outputs) {
  const [entry] = Object.keys(outputs).filter((path) => path.endsWith('stdin.js'))
  const paths = [entry]
  for (const path of paths)
    for (const { path: next } of outputs[path].imports)
      if (outputs[next] && !paths.includes(next)) paths.push(next)
  return paths.map((path) => outputs[path])
}
