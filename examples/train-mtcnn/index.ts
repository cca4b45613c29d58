/** Trains the three networks of MTCNN; see README.md. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Picture, readPicture, saveMtcnn } from '@facekit/annotate'
import { type FaceScene, openLandmarks, openWiderFace } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom, writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { composeScenes, scenesOfLandmarks, scenesWithoutFaces } from './face-scenes.js'
import { trainMtcnn } from './train-mtcnn.js'

const { values } = parseArgs({
  options: {
    wider: { type: 'string' },
    list: { type: 'string' },
    landmarks: { type: 'string' },
    backgrounds: { type: 'string' },
    rendered: { type: 'string', default: '500' },
    iterations: { type: 'string', default: '8000' },
    output: { type: 'string', default: 'mtcnn.safetensors' },
  },
})
const { backend } = await initEngine()
console.log(`backend ${backend}`)
const scenes: FaceScene[] = []
if (values.wider && values.list) scenes.push(...(await openWiderFace(values.wider, values.list)))
if (values.landmarks)
  scenes.push(...scenesOfLandmarks(await openLandmarks(values.landmarks), createRandom(2)))
const backgrounds: Picture[] = []
if (values.backgrounds) {
  for (const name of (await readdir(values.backgrounds)).filter((file) => /\.(jpe?g|png|webp)$/i.test(file)))
    backgrounds.push(await readPicture(join(values.backgrounds, name)))
}
scenes.push(...scenesWithoutFaces(backgrounds))
const count = Number(values.rendered)
if (count > 0) {
  const synthesizer = createFaceSynthesizer(await loadBaseModel(), { size: 160, batch: 16 })
  scenes.push(...(await composeScenes(synthesizer, backgrounds, createRandom(1), { count })))
  synthesizer.dispose()
}
console.log(`${scenes.length} scenes with ${scenes.reduce((sum, { faces }) => sum + faces.length, 0)} faces`)
const mtcnn = await trainMtcnn({
  scenes,
  iterations: Number(values.iterations),
  onWindows: (stage, counts) => console.log(stage, counts),
  onProgress: (stage, { iteration, loss, terms, speed }) => {
    if (iteration % 100 === 0) console.log(stage, iteration, loss.toFixed(4), terms, `${speed.toFixed(1)}/s`)
  },
})
await writeFileAtomic(values.output, await saveMtcnn(mtcnn, { precision: 'float16' }))
