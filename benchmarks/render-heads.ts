// Photographs of heads that never were, with their shapes: a plain folder for `facekit evaluate`. ICT-FaceKit's statistics come from scans, so its heads say
// more than the base model's own.
//   node --conditions=@facekit/source --import tsx benchmarks/render-heads.ts heads [--model ict|base|file] [--heads 10] [--seed 1] [--size 384]
//   npm run facekit -- evaluate heads --method fit --method regress --method refine --method landmarks -o heads-scores
// In `neutral`, two pictures of each head at rest; in `expression`, one of each with an expression. ICT needs ../shared/data/ict-facekit/raw beside the
// repository.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { encodePng } from '@facekit/export'
import { evaluateShape, type MorphableModel, readIctFaceKit } from '@facekit/morphable'
import { createFaceSynthesizer, disposeBatch } from '@facekit/synthetic'
import ndarray from 'ndarray'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'ict' },
    heads: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    size: { type: 'string', default: '384' },
  },
})
const [out] = positionals
if (out === undefined) throw new Error('name a folder')
const size = Number(values.size)
await initEngine({ backend: 'wasm' })
const base = await loadBaseModel()
const model: MorphableModel =
  values.model === 'base'
    ? base
    : values.model === 'ict'
      ? await readIctFaceKit(fileURLToPath(new URL('../../shared/data/ict-facekit/raw', import.meta.url)), {
          template: base,
        })
      : await loadBaseModel({ source: values.model })

/** Triangles without eyeballs: what a scanner sees of eyes is lids. */
const eyes = new Set(
  ['eyeLeft', 'eyeRight', 'sclera', 'iris'].flatMap((name) => Array.from(model.regions?.[name] ?? [])),
)
const triangles: number[] = []
for (let t = 0; t < model.triangles.length; t += 3) {
  const corners = model.triangles.subarray(t, t + 3)
  if (!corners.some((vertex) => eyes.has(vertex))) triangles.push(...corners)
}

for (const [group, expression, pictures] of [
  ['neutral', 0, 2],
  ['expression', 1, 1],
] as const) {
  const synthesizer = createFaceSynthesizer(model, {
    size,
    batch: 1,
    seed: Number(values.seed) + (group === 'neutral' ? 0 : 1000),
    picturesPerIdentity: pictures,
    expression,
    occluders: { glasses: 0, sunglasses: 0, hand: 0, object: 0, mask: 0, scarf: 0, patch: 0, hat: 0 },
    framing: { scale: [0.5, 0.7], shift: 0.05 },
    pose: { yaw: 35, pitch: 12, roll: 8 },
    light: { exposure: [0.8, 1.4], color: 0.3 },
    camera: { blur: 0.2, noise: 0.2, compression: 0.2, color: 0.5 },
    background: { plain: 1 },
  })
  await mkdir(join(out, group), { recursive: true })
  for (let i = 0; i < Number(values.heads) * pictures; i++) {
    const batch = synthesizer.next()
    const name = `${String(Math.floor(i / pictures)).padStart(3, '0')}-${i % pictures}`
    const picture = ndarray(Float32Array.from(await batch.image.data()), [size, size, 3])
    const shape = evaluateShape(model, batch.parameters)
    const positions = await shape.data()
    shape.dispose()
    disposeBatch(batch)
    const row = (v: number) => [0, 1, 2].map((c) => positions[v * 3 + c].toFixed(4)).join(' ')
    const lines = Array.from({ length: model.vertexCount }, (_, v) => `v ${row(v)}`)
    for (let t = 0; t < triangles.length; t += 3)
      lines.push(`f ${triangles[t] + 1} ${triangles[t + 1] + 1} ${triangles[t + 2] + 1}`)
    await writeFile(join(out, group, `${name}.png`), encodePng(picture))
    await writeFile(join(out, group, `${name}.obj`), `${lines.join('\n')}\n`)
    await writeFile(join(out, group, `${name}.txt`), `${Array.from(model.landmarks, row).join('\n')}\n`)
    console.log(`${group}/${name}`)
  }
  synthesizer.dispose()
}
process.exit(0)
