import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { FaceMasks } from './face-masks.js'

export type Color = readonly [number, number, number]

type MaskName = keyof FaceMasks | 'skinOnly'

/** What an albedo mode does: one standard deviation of each mask's albedo, linear RGB. */
export interface PaintedMode {
  name: string
  /** Added where the mask is 1. */
  paint?: Partial<Record<MaskName, Color>>
  /** Added as a share of the mean albedo there. */
  share?: Partial<Record<MaskName, Color>>
  /** Added to the specular albedo. */
  specular?: Partial<Record<MaskName, number>>
}

/** Mid-tone skin: linear Rec. 709, about (172, 135, 114) in an 8-bit picture. */
export const SKIN: Color = [0.42, 0.245, 0.168]
const LIPS: Color = [0.335, 0.142, 0.118]
const BROWS: Color = [0.085, 0.055, 0.04]
const MOUTH: Color = [0.09, 0.028, 0.026]
const SCLERA: Color = [0.44, 0.41, 0.38]
const IRIS: Color = [0.092, 0.062, 0.042]

/** Modes of melanin and haemoglobin first, then one region after the other.
 *
 * Melanin: the straight line through linear RGB from light skin, (0.74, 0.44, 0.30) at -3 deviations, to dark,
 * (0.10, 0.05, 0.03) at +3; more melanin takes a little more green and blue than red. Blood absorbs green and blue, most
 * of all in cheeks, nose and lips. Both are shares of the mean, as absorbers in the skin multiply.
 */
export const paintedModes: readonly PaintedMode[] = [
  {
    name: 'melanin',
    share: {
      skinOnly: [-0.25, -0.268, -0.268],
      lips: [-0.2, -0.22, -0.22],
      brows: [-0.25, -0.26, -0.26],
      lidLine: [-0.16, -0.17, -0.17],
      sclera: [-0.03, -0.04, -0.05],
      iris: [-0.14, -0.16, -0.18],
    },
    specular: { skinOnly: 0.001 },
  },
  {
    name: 'haemoglobin',
    share: {
      skinOnly: [0.006, -0.045, -0.038],
      cheeks: [0.002, -0.016, -0.014],
      nose: [0.002, -0.016, -0.014],
      lips: [0.02, -0.09, -0.07],
    },
  },
  { name: 'carotene', share: { skinOnly: [0.008, 0.012, -0.06], lips: [0, 0, -0.04] } },
  { name: 'oil', specular: { skinOnly: 0.006, nose: 0.004, forehead: 0.004 } },
  { name: 'lipRed', share: { lips: [0.05, -0.085, -0.06] } },
  { name: 'lipLight', share: { lips: [0.1, 0.12, 0.13] }, specular: { lips: 0.004 } },
  { name: 'lipBorder', share: { lipBorder: [-0.05, -0.065, -0.065] } },
  { name: 'browDark', share: { brows: [-0.25, -0.25, -0.25] } },
  { name: 'browWarm', paint: { brows: [0.014, 0.004, -0.003] } },
  { name: 'browGrey', paint: { brows: [0.006, 0.01, 0.011] } },
  { name: 'browThick', share: { browTop: [-0.1, -0.11, -0.11] } },
  { name: 'browTail', share: { browTail: [-0.1, -0.11, -0.11] } },
  { name: 'browHead', share: { browHead: [-0.1, -0.11, -0.11] } },
  { name: 'cheekRed', share: { apples: [0.014, -0.05, -0.04] } },
  { name: 'cheekLight', share: { cheeks: [0.05, 0.055, 0.055] }, specular: { cheeks: 0.004 } },
  { name: 'noseRed', share: { nose: [0.014, -0.05, -0.04], noseWings: [0, -0.03, -0.025] } },
  { name: 'noseLight', share: { nose: [0.05, 0.055, 0.06] }, specular: { nose: 0.005 } },
  { name: 'noseWings', share: { noseWings: [-0.07, -0.09, -0.09] } },
  { name: 'nostrils', share: { nostrils: [-0.2, -0.22, -0.22] } },
  { name: 'foreheadLight', share: { forehead: [0.036, 0.042, 0.045] }, specular: { forehead: 0.004 } },
  { name: 'foreheadRed', share: { forehead: [0.008, -0.035, -0.03] } },
  { name: 'temples', share: { temples: [-0.06, -0.07, -0.07] } },
  { name: 'chinLight', share: { chin: [0.05, 0.055, 0.06] }, specular: { chin: 0.003 } },
  { name: 'beardShadow', share: { beard: [-0.07, -0.065, -0.045] } },
  { name: 'beardDense', share: { beard: [-0.1, -0.11, -0.11], moustache: [-0.04, -0.045, -0.045] } },
  { name: 'moustache', share: { moustache: [-0.08, -0.09, -0.09] } },
  { name: 'socketDark', share: { socket: [-0.06, -0.085, -0.085] } },
  { name: 'underEye', share: { underEye: [-0.06, -0.085, -0.07] } },
  { name: 'upperLid', share: { upperLid: [-0.08, -0.1, -0.1] } },
  { name: 'lidLine', share: { lidLine: [-0.24, -0.24, -0.24], lowerLidLine: [-0.06, -0.07, -0.07] } },
  { name: 'lowerLidLine', share: { lowerLidLine: [-0.13, -0.14, -0.14] } },
  { name: 'irisLight', share: { iris: [0.3, 0.31, 0.32] } },
  { name: 'irisBlue', paint: { iris: [-0.009, 0.002, 0.012] } },
  { name: 'irisGreen', paint: { iris: [-0.003, 0.005, -0.002] } },
  { name: 'scleraLight', paint: { sclera: [0.04, 0.04, 0.04] } },
  { name: 'scleraRed', paint: { sclera: [0.005, -0.012, -0.012], scleraCorner: [0.012, -0.018, -0.018] } },
  { name: 'fold', share: { fold: [-0.05, -0.06, -0.06] } },
  { name: 'sides', share: { sides: [-0.07, -0.08, -0.08] }, specular: { sides: -0.004 } },
  { name: 'topToBottom', share: { forehead: [-0.03, -0.026, -0.024], beard: [0.03, 0.026, 0.022] } },
  { name: 'mouthDark', share: { mouth: [-0.25, -0.25, -0.25] } },
]

/** Share of each part of the face where several masks overlap. */
export function skinOnly(masks: FaceMasks): Float64Array {
  return masks.skin.map(
    (skin, i) => skin * (1 - masks.lips[i]) * (1 - masks.brows[i]) * (1 - 0.7 * masks.lidLine[i]),
  )
}

type Paint = readonly (readonly [Float64Array, Color])[]

function sum(count: number, paint: Paint): Float64Array {
  const result = new Float64Array(count * 3)
  for (const [mask, color] of paint) {
    for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) result[i * 3 + c] += mask[i] * color[c]
  }
  return result
}

/** `[N * 3]` linear RGB: the mean diffuse albedo. */
export function diffuseMean(masks: FaceMasks): Float64Array {
  const count = masks.skin.length
  const layers: Paint = [
    [masks.mouth, MOUTH],
    [masks.skin, SKIN],
  ]
  const color = sum(count, layers)
  const over = (mask: Float64Array, [r, g, b]: Color, opacity: number) => {
    for (let i = 0; i < count; i++) {
      const weight = mask[i] * opacity
      ;[r, g, b].forEach((value, c) => (color[i * 3 + c] += weight * (value - color[i * 3 + c])))
    }
  }
  const add = (mask: Float64Array, change: Color) => {
    for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) color[i * 3 + c] += mask[i] * change[c]
  }
  add(masks.apples, [0.012, -0.013, -0.008])
  add(masks.nose, [0.014, -0.014, -0.009])
  add(masks.noseWings, [-0.012, -0.02, -0.013])
  add(masks.forehead, [0.012, 0.008, 0.004])
  add(masks.socket, [-0.025, -0.022, -0.013])
  add(masks.underEye, [-0.022, -0.02, -0.01])
  add(masks.upperLid, [-0.03, -0.028, -0.018])
  add(masks.beard, [-0.018, -0.009, -0.004])
  add(masks.fold, [-0.014, -0.012, -0.008])
  add(masks.temples, [-0.014, -0.01, -0.006])
  over(masks.nostrils, [0.07, 0.026, 0.02], 0.85)
  over(masks.lips, LIPS, 0.92)
  over(masks.lidMargin, [0.36, 0.18, 0.15], 0.7)
  over(masks.brows, BROWS, 0.7)
  over(masks.lidLine, [0.06, 0.04, 0.032], 0.75)
  over(masks.lowerLidLine, [0.12, 0.07, 0.055], 0.45)
  over(masks.sclera, SCLERA, 1)
  over(masks.scleraCorner, [0.32, 0.21, 0.19], 0.65)
  over(
    masks.iris.map((iris, i) => Math.max(iris, masks.pupil[i])),
    IRIS,
    1,
  )
  over(masks.limbus, [0.03, 0.022, 0.018], 0.55)
  over(masks.pupil, [0.008, 0.007, 0.007], 1)
  return color
}

/** `[N]` the mean specular albedo, the same in red, green and blue. */
export function specularMean(masks: FaceMasks): Float64Array {
  return masks.skin.map((skin, i) => {
    let value = skin > 0 ? 0.04 : 0.05
    value +=
      0.016 * masks.nose[i] + 0.008 * masks.forehead[i] + 0.003 * masks.cheeks[i] + 0.004 * masks.chin[i]
    value +=
      0.012 * masks.lips[i] + 0.016 * masks.lidMargin[i] - 0.006 * masks.underEye[i] - 0.006 * masks.beard[i]
    value += 0.012 * masks.iris[i] - 0.02 * masks.mouth[i]
    value -= 0.018 * masks.brows[i] + 0.02 * masks.nostrils[i] + 0.01 * masks.sides[i]
    return Math.max(value, 0.012)
  })
}

/** The painted modes as amounts of masks: `paint` and `share` `[P, M, 3]`, `specular` `[P, M]`, masks `[M][N]` in 0..1. */
export function paintModes(masks: FaceMasks): {
  names: string[]
  masks: Float64Array[]
  paint: Float32Array
  share: Float32Array
  specular: Float32Array
} {
  const all: Partial<Record<string, Float64Array>> = { skinOnly: skinOnly(masks), ...masks }
  const used = Object.keys(all).filter((mask) =>
    paintedModes.some(
      ({ paint = {}, share = {}, specular = {} }) => mask in paint || mask in share || mask in specular,
    ),
  )
  const table = (width: number) => new Float32Array(paintedModes.length * used.length * width)
  const result = { paint: table(3), share: table(3), specular: table(1) }
  paintedModes.forEach((mode, p) => {
    for (const kind of ['paint', 'share', 'specular'] as const) {
      for (const [mask, amount] of Object.entries(mode[kind] ?? {})) {
        const place = p * used.length + used.indexOf(mask)
        if (typeof amount === 'number') result[kind][place] = amount
        else result[kind].set(amount, place * 3)
      }
    }
  })
  return { names: paintedModes.map(({ name }) => name), masks: used.map((mask) => all[mask]!), ...result }
}

/** Smooth symmetric unevenness of brightness and redness: modes of a scalar Gaussian process over the control vertices.
 *
 * @returns diffuse `[468 * 3]` fields, one standard deviation each
 */
export function smoothModes(
  positions: Float64Array,
  mirror: readonly number[],
  counts: { light: number; red: number },
): { name: string; diffuse: Float64Array }[] {
  const count = positions.length / 3
  const pairs = mirror.flatMap((j, i) => (j >= i ? [[i, j]] : []))
  const covariance = Matrix.zeros(pairs.length, pairs.length)
  const length = 28
  pairs.forEach(([i], a) => {
    pairs.forEach(([j, image], b) => {
      const kernel = (k: number) => {
        let squared = 0
        for (let c = 0; c < 3; c++) squared += (positions[i * 3 + c] - positions[k * 3 + c]) ** 2
        return Math.exp(-squared / length ** 2)
      }
      const scale = Math.sqrt((mirror[i] === i ? 0.5 : 1) * (j === image ? 0.5 : 1))
      covariance.set(a, b, (scale * (kernel(j) + kernel(image))) / 2)
    })
  })
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const mode = (rank: number, color: Color) => {
    const vector = eigenvectorMatrix.getColumn(order[rank])
    const deviation = Math.sqrt(Math.max(realEigenvalues[order[rank]], 0))
    const largest = vector.reduce(
      (best, value) => (Math.abs(value) > Math.abs(best) * (1 + 1e-9) ? value : best),
      0,
    )
    const field = new Float64Array(count * 3)
    pairs.forEach(([i, j], a) => {
      const value = (vector[a] * deviation * Math.sign(largest)) / (i === j ? Math.SQRT1_2 : 1)
      for (const k of [i, j]) color.forEach((part, c) => (field[k * 3 + c] = value * part))
    })
    return field
  }
  return [
    ...Array.from({ length: counts.light }, (_, k) => ({
      name: `light${k}`,
      diffuse: mode(k, [0.019, 0.0118, 0.0084]),
    })),
    ...Array.from({ length: counts.red }, (_, k) => ({
      name: `red${k}`,
      diffuse: mode(k, [0.004, -0.006, -0.004]),
    })),
  ]
}
