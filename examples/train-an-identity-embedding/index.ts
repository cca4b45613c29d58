// Trains a network that says who is in a picture, on photographs grouped by person; see README.md.
//   node --conditions=@facekit/source --import tsx examples/train-an-identity-embedding/index.ts <folder> [--help]
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createFaceNet, loadEmbedder, loadFaceNet, saveFaceNet } from '@facekit/annotate'
import { openIdentities } from '@facekit/annotate-training'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { splitPeople, trainEmbedding, verify } from './train-embedding.js'

const help = `<folder>         a folder of photographs for each person
--out folder     checkpoints, log.jsonl, TensorBoard events, facenet.safetensors (default runs/facenet)
--from file      go on from these weights
--clips          file names begin with the number of a clip: its frames are no pairs when people are told apart
--iterations 20000 --seconds N --people 24 --pictures 5 --margin 0.2 --rate 0.002 --seed 1 --backend auto --fresh`

const text = { type: 'string' } as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { ...text, default: 'runs/facenet' },
    from: text,
    clips: { type: 'boolean' },
    iterations: { ...text, default: '20000' },
    seconds: text,
    people: { ...text, default: '24' },
    pictures: { ...text, default: '5' },
    margin: { ...text, default: '0.2' },
    rate: { ...text, default: '0.002' },
    seed: { ...text, default: '1' },
    backend: { ...text, default: 'auto' },
    fresh: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (values.help || positionals.length !== 1) {
  console.log(help)
  process.exit(values.help ? 0 : 2)
}
const { backend } = await initEngine({ backend: values.backend as 'auto' })
const size = 96
const everybody = await openIdentities(positionals[0], {
  size,
  ...(values.clips && { group: (file) => basename(file)[0] }),
  onReject: (file, reason) => console.log(`skipped: ${file}: ${reason}`),
  onProgress: (done, total) => {
    if (done % 200 === 0) console.log(`${done} of ${total} photographs`)
  },
})
const { train, heldOut } = splitPeople(everybody, Number(values.seed))
const net = values.from
  ? loadFaceNet(await readFile(values.from), values.from)
  : createFaceNet({ inputSize: size, seed: Number(values.seed) })
console.log(
  `on ${backend}: ${train.length} people to learn from, ${heldOut.length} held out, ${net.model.countParams()} weights`,
)
const shipped = await loadEmbedder()
console.log("the package's own embedder:", await verify((images) => shipped.embed(images), heldOut, size))
console.log('before:', await verify(net.embed, heldOut, size))
const result = await trainEmbedding({
  net,
  people: train,
  heldOut,
  size,
  iterations: Number(values.iterations),
  ...(values.seconds && { seconds: Number(values.seconds) }),
  batchPeople: Number(values.people),
  batchPictures: Number(values.pictures),
  margin: Number(values.margin),
  learningRate: Number(values.rate),
  seed: Number(values.seed),
  folder: values.out,
  resume: values.fresh ? false : 'auto',
  onProgress: ({ iteration, loss, speed, evaluation }) => {
    if (iteration % 50 !== 0) return
    const score = evaluation ? `, accuracy ${evaluation.accuracy.toFixed(4)}` : ''
    console.log(`${iteration} loss ${loss.toFixed(4)}, ${speed.toFixed(1)}/s${score}`)
  },
})
console.log('after:', result.evaluation)
await writeFileAtomic(join(values.out, 'facenet.safetensors'), await saveFaceNet(net))
