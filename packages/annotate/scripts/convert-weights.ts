// Makes weights/*.safetensors out of the weights in the npm package @vladmandic/face-api (MIT). Byte for byte the same
// result each time. Run it in a folder that holds the unpacked package:
//
//   npm pack @vladmandic/face-api@1.7.15 && tar xf vladmandic-face-api-1.7.15.tgz
//   npx tsx --conditions=@facekit/source packages/annotate/scripts/convert-weights.ts package
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic, writeSafetensors, type SafetensorsEntry } from '@facekit/core'

interface ManifestEntry {
  name: string
  shape: number[]
  dtype: string
  quantization?: { dtype: string; scale: number; min: number }
}

const networks = [
  {
    name: 'face-detector',
    source: 'ssd_mobilenetv1_model',
    drop: /^(Preprocessor|Postprocessor|concat_1)\/|stack/,
  },
  { name: 'tiny-face-detector', source: 'tiny_face_detector_model' },
  { name: 'landmarks', source: 'face_landmark_68_model' },
  { name: 'embedder', source: 'face_recognition_model' },
]

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: convert-weights.ts <folder of @vladmandic/face-api>')
const origin = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
  name: string
  version: string
}

for (const { name, source, drop } of networks) {
  const model = join(folder, 'model')
  const manifest = JSON.parse(await readFile(join(model, `${source}-weights_manifest.json`), 'utf8')) as {
    weights: ManifestEntry[]
  }[]
  const binary = await readFile(join(model, `${source}.bin`))
  const tensors = new Map<string, SafetensorsEntry>()
  const quantization: Record<string, [number, number]> = {}
  let offset = 0
  for (const { name: tensor, shape, dtype, quantization: quantized } of manifest.flatMap(
    (group) => group.weights,
  )) {
    const count = shape.reduce((product, size) => product * size, 1)
    if (quantized !== undefined && quantized.dtype !== 'uint8')
      throw new Error(`${tensor} is ${quantized.dtype}`)
    const size = quantized === undefined ? 4 * count : count
    const bytes = Uint8Array.from(binary.subarray(offset, offset + size))
    if (bytes.length !== size) throw new Error(`${source}.bin is too short for ${tensor}`)
    offset += size
    if (drop?.test(tensor)) continue
    if (dtype !== 'float32') throw new Error(`${tensor} is ${dtype}`)
    tensors.set(tensor, { shape, data: quantized === undefined ? new Float32Array(bytes.buffer) : bytes })
    if (quantized !== undefined) quantization[tensor] = [quantized.scale, quantized.min]
  }
  if (offset !== binary.length) throw new Error(`${source}.bin has ${binary.length - offset} bytes too many`)
  const file = writeSafetensors({
    metadata: {
      format: 'facekit-network',
      version: '1',
      network: name,
      license: 'MIT',
      origin: `${origin.name} ${origin.version}, model/${source}.bin`,
      // value = byte * scale + minimum
      quantization: JSON.stringify(quantization),
    },
    tensors,
  })
  const path = new URL(`../weights/${name}.safetensors`, import.meta.url).pathname
  await writeFileAtomic(path, file)
  console.log(`${name}.safetensors: ${tensors.size} tensors, ${file.length} bytes`)
}
