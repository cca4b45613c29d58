import { ValueError } from '@facekit/core'
import type { LightPreset } from './light-presets.js'
import { presetLamps } from './preset-lamps.js'

/** Points of a surface, plain numbers, `[N * 3]` each. */
export interface PresetSurface {
  /** Linear RGB. */
  diffuse: ArrayLike<number>
  /** Reflectance at normal incidence, linear RGB: the specular albedo. */
  specular: ArrayLike<number>
  /** Unit length. */
  normals: ArrayLike<number>
  /** The unit of `cameraPosition`. */
  positions: ArrayLike<number>
  cameraPosition: readonly [number, number, number]
  /** Exponent of Blinn-Phong; becomes the roughness (2 / (exponent + 2))^(1/4). */
  shininess: number
}

/** How far red, green and blue light goes through skin, as in `lightShader`. */
const WRAP = [0.28, 0.14, 0.09]

/** The light of a preset on skin, as `lightShader` computes it on a GPU: wrapped lamps, sky and ground, highlights of two GGX lobes; bent towards white where it
 * is bright.
 *
 * @returns `[N * 3]` linear RGB, 0..1, to be encoded as sRGB
 * @differentiable no
 * @memory plain data
 * @throws {ValueError} when the lists have different lengths
 * @example
 * const rgb = shadePreset(lightPresets.studio, { diffuse, specular, normals, positions, cameraPosition: [0, 0, 1015], shininess: 30 })
 */
export function shadePreset(preset: LightPreset, surface: PresetSurface): Float32Array {
  const { diffuse, specular, normals, positions, cameraPosition, shininess } = surface
  const lengths = [diffuse, specular, normals, positions].map((list) => list.length)
  if (lengths.some((length) => length !== lengths[0]) || lengths[0] % 3 !== 0)
    throw new ValueError(
      `shadePreset: diffuse, specular, normals, positions have ${lengths.join(', ')} numbers, expected 3 for each point`,
    )
  const { lampDirections, lampColors, skyColor, groundColor } = presetLamps(preset)
  const rough = (2 / (shininess + 2)) ** 0.25
  const alpha = Math.max(rough * rough, 0.02)
  const result = new Float32Array(lengths[0])
  for (let at = 0; at < result.length; at += 3) {
    const n: Triple = [normals[at], normals[at + 1], normals[at + 2]]
    const view = unit([0, 1, 2].map((c) => cameraPosition[c] - positions[at + c]) as Triple)
    const nv = clamp(dot(n, view), 1e-3, 1)
    const mirrored = 2 * dot(n, view) * n[1] - view[1]
    const around = smoothstep(-1.2, 1.2, n[1])
    const behind = smoothstep(-0.3 - rough, 0.3 + rough, mirrored)
    const [scale, bias] = environmentShare(rough, nv)
    const lamps = lampDirections.map((l) => {
      const cosine = dot(n, l)
      if (cosine <= 0) return { cosine, gloss: 0, edge: 0 }
      const h = unit([l[0] + view[0], l[1] + view[1], l[2] + view[2]])
      const nh = clamp(dot(n, h), 0, 1)
      const d = 0.85 * distribution(nh, alpha) + 0.15 * distribution(nh, 0.5 * alpha)
      const gloss = Math.PI * cosine * d * visibility(cosine, nv, alpha)
      return { cosine, gloss, edge: (1 - clamp(dot(view, h), 0, 1)) ** 5 }
    })
    for (let c = 0; c < 3; c++) {
      const f0 = specular[at + c]
      const surroundings = (share: number) => groundColor[c] + share * (skyColor[c] - groundColor[c])
      let soft = surroundings(around)
      let gloss = 0.6 * surroundings(behind) * (f0 * scale + bias)
      for (const [i, lamp] of lamps.entries()) {
        const color = lampColors[i][c]
        soft += (color * clamp((lamp.cosine + WRAP[c]) / (1 + WRAP[c]), 0, 1)) / (1 + WRAP[c])
        gloss += color * lamp.gloss * (f0 + (1 - f0) * lamp.edge)
      }
      result[at + c] = diffuse[at + c] * (1 - f0) * soft + gloss
    }
    bendToWhite(result, at)
  }
  return result
}

type Triple = [number, number, number]

const dot = (a: Triple, b: Triple) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most)

function unit(v: Triple): Triple {
  const length = Math.max(Math.hypot(...v), 1e-12)
  return [v[0] / length, v[1] / length, v[2] / length]
}

function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from), 0, 1)
  return t * t * (3 - 2 * t)
}

function distribution(nh: number, alpha: number): number {
  const a = alpha * alpha
  const d = nh * nh * (a - 1) + 1
  return a / (Math.PI * d * d)
}

function visibility(nl: number, nv: number, alpha: number): number {
  const a = alpha * alpha
  return 0.5 / (nl * Math.sqrt(nv * nv * (1 - a) + a) + nv * Math.sqrt(nl * nl * (1 - a) + a) + 1e-5)
}

/** Factor and addend of the reflectance with which a rough surface sends on its surroundings (Karis 2014). */
function environmentShare(rough: number, nv: number): [number, number] {
  const k = [1 - rough, 0.0425 - 0.0275 * rough, 1.04 - 0.572 * rough, 0.022 * rough - 0.04]
  const bend = Math.min(k[0] * k[0], 2 ** (-9.28 * nv)) * k[0] + k[1]
  return [-1.04 * bend + k[2], 1.04 * bend + k[3]]
}

/** In place, one colour. */
function bendToWhite(colors: Float32Array, at: number): void {
  const start = 0.7
  const peak = Math.max(colors[at], colors[at + 1], colors[at + 2])
  if (peak < start) return
  const d = 1 - start
  const bent = 1 - (d * d) / (peak + d - start)
  const white = 1 - 1 / (0.15 * (peak - bent) + 1)
  for (let c = at; c < at + 3; c++) {
    const color = (colors[c] * bent) / peak
    colors[c] = color + white * (bent - color)
  }
}
