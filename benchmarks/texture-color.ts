// What a face in its maps and in the light of its photograph differs from the photograph: mean absolute difference over visible skin of the crop, 0..1, as
// `colorError` measures it; beside it that of the model's own colours, and of the maps without their shading. Seconds are processor time of the maps.
//
//   node --conditions=@facekit/source --import tsx benchmarks/texture-color.ts [--size 1024] [--panels FOLDER] PICTURE...
// With --panels a strip for each: photograph, textured, diffuse albedo, in a light from the side, six times the difference.
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { annotate, loadEmbedder, readPicture } from '@facekit/annotate'
import { createFaceTextures } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { colorError, fitFace } from '@facekit/fit'
import { disposeParameters } from '@facekit/parameters'
import { encode } from 'fast-png'
import { printTable } from './benchmark.js'
import { drawTextured, sideLight } from './textured-face.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { panels: { type: 'string' }, size: { type: 'string', default: '1024' } },
})
if (values.panels) await mkdir(values.panels, { recursive: true })
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const { embed } = await loadEmbedder()
const rows: Record<'model' | 'maps' | 'with shading' | 'seconds', number>[] = []
const named: Record<string, string | number>[] = []
for (const file of positionals) {
  const picture = await readPicture(file)
  const [annotation] = await annotate(picture, { maxFaces: 1, segmenter: 'network' })
  if (!annotation) {
    console.log(`${basename(file)}: no face`)
    continue
  }
  const result = await fitFace(picture, annotation, model, { embed })
  const before = process.cpuUsage()
  const maps = await createFaceTextures([picture], [{ ...result, annotation }], model, {
    size: Number(values.size),
  })
  const { user, system } = process.cpuUsage(before)
  const {
    alignment: { image, size },
    faceRegion,
  } = annotation
  const draw = (light?: typeof sideLight, shading = light ? undefined : maps.shading[0]) =>
    drawTextured(model, result, { ...maps, shading }, { size, light })
  const [shaded, bare] = [draw(), drawTextured(model, result, { ...maps, shading: undefined }, { size })]
  const error = ({ lit, mask }: typeof shaded) =>
    colorError(image.data as Float32Array, lit, faceRegion.data as Float32Array, mask).mean
  const row = {
    model: result.metrics.colorError,
    maps: error(bare),
    'with shading': error(shaded),
    seconds: (user + system) / 1e6,
  }
  rows.push(row)
  named.push({
    picture: basename(file).slice(0, 30),
    ...Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v.toFixed(4)])),
  })
  if (values.panels) {
    const inside = (value: number, i: number) => (shaded.mask[Math.floor(i / 3)] > 0.5 ? value : 0)
    const cells = [
      image.data as Float32Array,
      shaded.lit,
      shaded.diffuse,
      draw(sideLight).lit,
      shaded.lit.map((value, i) => inside(6 * Math.abs(value - image.data[i]), i)),
    ]
    const data = new Uint8Array(cells.length * size * size * 3)
    for (const [at, cell] of cells.entries())
      for (let i = 0; i < cell.length; i++) {
        const [y, rest] = [Math.floor(i / (3 * size)), i % (3 * size)]
        data[(y * cells.length + at) * 3 * size + rest] = 255 * Math.min(Math.max(cell[i], 0), 1)
      }
    const strip = encode({ width: cells.length * size, height: size, data, channels: 3, depth: 8 })
    await writeFile(join(values.panels, `${basename(file).replace(/\.\w+$/, '')}.png`), strip)
  }
  disposeParameters(result.parameters)
}
const mean = (name: keyof (typeof rows)[0]) => rows.reduce((sum, row) => sum + row[name] / rows.length, 0)
named.push({
  picture: `mean of ${rows.length}`,
  ...Object.fromEntries(Object.keys(rows[0] ?? {}).map((k) => [k, mean(k as 'model').toFixed(4)])),
})
printTable(named)
