import type { BaseModelFile } from './base-model-file.js'
import { applyStencils, type Stencils } from './stencils.js'

/** Modes of both albedos, `[K * N * 3]` each. */
export interface AlbedoModes {
  diffuse: Float32Array
  specular: Float32Array
}

/** The same number in red, green and blue. */
export const grey = (values: Float32Array): Float32Array =>
  Float32Array.from({ length: values.length * 3 }, (_, i) => values[Math.floor(i / 3)])

/** Modes that are stored vertex by vertex. */
export function storedAlbedo(file: BaseModelFile): AlbedoModes {
  const [tones, others] = [file.fields('diffuse_tone').values, file.fields('diffuse_modes').values]
  const diffuse = new Float32Array(tones.length + others.length)
  diffuse.set(tones)
  diffuse.set(others, tones.length)
  return { diffuse, specular: grey(file.fields('specular_modes').values) }
}

/** Modes that are amounts of masks: `[P, N, width]`. With `base`, the amounts are shares of it. */
function paint(file: BaseModelFile, name: string, width: number, base?: Float32Array): Float32Array {
  const masks = file.tensor('masks')
  const amounts = file.tensor(name)
  const [maskCount, vertexCount] = masks.shape
  const result = new Float32Array(amounts.shape[0] * vertexCount * width)
  for (let p = 0; p < amounts.shape[0]; p++) {
    for (let m = 0; m < maskCount; m++) {
      for (let c = 0; c < width; c++) {
        const amount = amounts.data[(p * maskCount + m) * width + c] / 255
        if (amount === 0) continue
        for (let i = 0; i < vertexCount; i++) {
          const factor = base ? base[i * width + c] : 1
          result[(p * vertexCount + i) * width + c] += amount * factor * masks.data[m * vertexCount + i]
        }
      }
    }
  }
  return result
}

/** Modes that are composed of painted masks, smooth fields and learned appearance. */
export function composedAlbedo(
  file: BaseModelFile,
  parts: { stencils: Stencils; diffuseMean: Float32Array; skinEnd: number; innerMouth?: Int32Array },
): AlbedoModes {
  const { stencils, diffuseMean, skinEnd } = parts
  const vertexCount = diffuseMean.length / 3
  const diffusePainted = paint(file, 'diffuse_paint', 3)
  paint(file, 'diffuse_share', 3, diffuseMean).forEach((value, i) => (diffusePainted[i] += value))
  const specularPainted = paint(file, 'specular_paint', 1)
  const paintedCount = diffusePainted.length / vertexCount / 3
  const smooth = file.has('diffuse_smooth') ? file.fields('diffuse_smooth') : undefined
  const learned = file.has('diffuse_learned') ? file.fields('diffuse_learned') : undefined
  const learnedStart = paintedCount + (smooth?.count ?? 0)
  const albedoCount = learnedStart + (learned?.count ?? 0)

  const diffuse = new Float32Array(albedoCount * vertexCount * 3)
  diffuse.set(diffusePainted)
  if (smooth) {
    diffuse.set(applyStencils(stencils, smooth.values, smooth.count, skinEnd), diffusePainted.length)
    // The smooth modes are of skin: they end at the lips.
    for (let k = paintedCount; k < learnedStart; k++) {
      for (const i of parts.innerMouth ?? [])
        diffuse.fill(0, (k * vertexCount + i) * 3, (k * vertexCount + i + 1) * 3)
    }
  }
  const specular = new Float32Array(diffuse.length)
  specular.set(grey(specularPainted))
  if (learned) {
    const width = learned.values.length / learned.count
    for (let k = 0; k < learned.count; k++) {
      diffuse.set(learned.values.subarray(k * width, (k + 1) * width), (learnedStart + k) * vertexCount * 3)
    }
    const scalars = file.fields('specular_learned')
    specular.set(
      applyStencils(stencils, scalars.values, scalars.count, width / 3),
      learnedStart * vertexCount * 3,
    )
  }

  return { diffuse, specular }
}
