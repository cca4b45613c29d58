/** Learns the base model's variant `learned` and writes data/base-model-learned.safetensors:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/learn-base-model.ts [folder] [--cache dir] [--out file]
 *
 * Without a folder: ../shared/data/photos/youtube-faces beside the repository. What is seen in the photographs is kept in
 * the cache, outside of the repository; interrupted, the script goes on from there. Same bytes every time.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { learnFaceModel } from '../src/index.js'
import { readYoutubeFaces } from './youtube-faces.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cache: { type: 'string', default: join(tmpdir(), 'facekit-learn-base-model') },
    out: {
      type: 'string',
      default: fileURLToPath(new URL('../data/base-model-learned.safetensors', import.meta.url)),
    },
  },
})
const folder =
  positionals[0] ?? fileURLToPath(new URL('../../../../shared/data/photos/youtube-faces', import.meta.url))
await initEngine({ backend: 'wasm' })
const started = performance.now()
const people = await readYoutubeFaces(folder)
let last = ''
const { bytes, report } = await learnFaceModel(people, {
  cache: values.cache,
  // The videos' pixels are not always square.
  stretch: 0.5,
  name: 'facekit-learned',
  license: 'Apache-2.0',
  origin:
    "Mesh and mean shape: MediaPipe's canonical face (Apache-2.0). Identity, expression and albedo: statistics of 3,462 video frames of 347 people (YouTube Faces), mixed with a Gaussian process and hand-made modes. No photograph and no person is in it; see MODEL-CARD.md.",
  onProgress: ({ stage, done, total }) => {
    const line = `${stage} ${Math.floor((10 * done) / total) * 10} %`
    if (line !== last) console.log(`${((performance.now() - started) / 1000).toFixed(0)} s ${line}`)
    last = line
  },
})
await writeFileAtomic(values.out, bytes)
console.log(`${values.out}: ${bytes.length} bytes`)
const rounded = (list: readonly number[]) => list.map((value) => value.toFixed(2)).join(' ')
console.log(
  `${report.photographs} photographs of ${report.people} people; pose explains ${report.poseShare.toFixed(2)}; landmarks moved by ${report.landmarksMoved.toFixed(1)} mm`,
)
const { before, after } = report.expressionExplained
console.log(`expressions explain ${before.toFixed(3)} before, ${after.toFixed(3)} after`)
console.log(
  `albedo of ${report.albedoPeople} people; explained by 1 10 20 40 60: ${rounded([1, 10, 20, 40, 60].map((k) => report.albedoExplained[k - 1] ?? Number.NaN))}`,
)
console.log(`repeatable: ${rounded(report.albedoRepeatability)}; tone ${rounded(report.toneDeviation)}`)
