import { createRequire } from 'node:module'
import { reconstruct, type PhotoSource } from 'facekit'
import sharp from 'sharp'
import type { Watch } from './watch.js'

/** Least work. */
const OPTIONS = { backend: 'wasm', networks: 'small', iterations: 0 } as const

/** What changes a run. */
export interface SoakOptions {
  /** As `performance.now()` gives it: no work is begun later. */
  deadline: number
  /** Which crops of the photograph are taken. */
  seed: number
  /** Pixels of the maps made of the photograph; 'none': the model's colours, which takes less time. */
  texture: number | 'none'
  method: 'fit' | 'regress'
  /** Of how many reconstructions one is made into a GLB as well, which takes most of the time of a regression. */
  meshEvery: number
}

/** Crops of one face of a photograph, of 224 pixels, each from another place. */
async function crops(count: number, seed: number): Promise<PhotoSource[]> {
  const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')
  const crop = (i: number) =>
    sharp(photograph)
      .extract({ left: 650 + 5 * i, top: 280 + 3 * i, width: 560, height: 560 })
      .resize(224)
      .jpeg()
      .toBuffer()
  return Promise.all(Array.from({ length: count }, (_, i) => crop(seed * count + i)))
}

/** All that a reconstruction gives, as text. */
async function resultOf(
  photo: PhotoSource,
  { method, texture }: Pick<SoakOptions, 'method' | 'texture'>,
  withMesh = true,
): Promise<string> {
  const face = await reconstruct(photo, { ...OPTIONS, method, texture })
  try {
    const glb = withMesh ? await face.glb() : new Uint8Array()
    // All but how long it took.
    const text = JSON.stringify(face.parameters, (key, value: unknown) => (key === 'seconds' ? 0 : value))
    return `${text} ${Buffer.from(glb).toString('base64')}`
  } finally {
    face.dispose()
  }
}

/** One reconstruction after the other: each the same to the bit as the first of its photograph. */
export async function soakReconstructions(count: number, watch: Watch, options: SoakOptions): Promise<void> {
  const { deadline, seed, meshEvery } = options
  const photos = await crops(4, seed)
  const first = new Map<string, string>()
  for (let i = 0; i < count && performance.now() < deadline; i++) {
    const place = i % photos.length
    const withMesh = Math.floor(i / photos.length) % meshEvery === 0
    const result = await resultOf(photos[place], options, withMesh)
    const key = `${place} ${withMesh}`
    if (!first.has(key)) first.set(key, result)
    if (result !== first.get(key)) watch.fail(`reconstruction ${i} differs from the first of its photograph`)
    watch.step()
  }
}

/** All at once: each the same to the bit as one that had the process to itself. */
export async function soakAtOnce(count: number, watch: Watch, options: SoakOptions): Promise<void> {
  const photos = await crops(5, options.seed)
  const alone: string[] = []
  for (const photo of photos) alone.push(await resultOf(photo, options))
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const result = await resultOf(photos[i % photos.length], options)
      if (result !== alone[i % photos.length]) watch.fail(`reconstruction ${i} differs from one alone`)
      watch.step()
    }),
  )
}
