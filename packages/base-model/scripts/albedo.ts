import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { FaceMasks } from './face-masks.js'

export type Color = readonly [number, number, number]

/** What an albedo mode does: a colour (linear RGB, one standard deviation) times a mask, summed. */
interface PaintedMode {
  name: string
  paint: Partial<Record<keyof FaceMasks | 'skinOnly', Color>>
  /** Deviation of the specular albedo over the skin. */
  specular?: Partial<Record<keyof FaceMasks | 'skinOnly', number>>
}

/** Mid-tone skin: linear Rec. 709, about (172, 135, 114) in an 8-bit picture. */
export const SKIN: Color = [0.42, 0.245, 0.168]
const LIPS: Color = [0.335, 0.142, 0.118]
const BROWS: Color = [0.085, 0.055, 0.04]
const MOUTH: Color = [0.09, 0.028, 0.026]
const SCLERA: Color = [0.56, 0.52, 0.48]
const IRIS: Color = [0.1, 0.062, 0.036]

/** Modes of melanin and haemoglobin first, then one region after the other.
 *
 * Melanin: the straight line through linear RGB that leaves a face between light, (0.65, 0.40, 0.28) at -2 deviations,
 * and dark, (0.14, 0.065, 0.043) at +2.5; blood takes green and some blue away, most of all in cheeks, nose and lips.
 */
export const paintedModes: readonly PaintedMode[] = [
  {
    name: 'melanin',
    paint: {
      skinOnly: [-0.112, -0.074, -0.052],
      lips: [-0.075, -0.037, -0.03],
      brows: [-0.02, -0.014, -0.01],
      sclera: [-0.012, -0.014, -0.016],
      iris: [-0.014, -0.011, -0.008],
    },
    specular: { skinOnly: 0.0015 },
  },
  {
    name: 'haemoglobin',
    paint: {
      skinOnly: [0.004, -0.018, -0.01],
      cheeks: [0.002, -0.014, -0.008],
      nose: [0.002, -0.014, -0.008],
      lips: [0.006, -0.02, -0.014],
    },
  },
  { name: 'carotene', paint: { skinOnly: [0.004, 0.004, -0.018], lips: [0, 0, -0.006] } },
  { name: 'pallor', paint: { skinOnly: [-0.012, 0.006, 0.012], lips: [-0.02, 0.004, 0.008] } },
  { name: 'lipRed', paint: { lips: [0.03, -0.022, -0.014] } },
  { name: 'lipLight', paint: { lips: [0.045, 0.022, 0.019] }, specular: { lips: 0.004 } },
  { name: 'lipBorder', paint: { lipBorder: [-0.026, -0.02, -0.014] } },
  { name: 'browDark', paint: { brows: [-0.085, -0.055, -0.038], browHead: [-0.006, -0.004, -0.003] } },
  { name: 'browWarm', paint: { brows: [0.03, 0.012, -0.004] } },
  { name: 'browGrey', paint: { brows: [0.02, 0.026, 0.028] } },
  { name: 'browThick', paint: { browTop: [-0.06, -0.038, -0.026] } },
  { name: 'browTail', paint: { browTail: [-0.05, -0.032, -0.022] } },
  { name: 'browHead', paint: { browHead: [-0.05, -0.032, -0.022] } },
  { name: 'cheekRed', paint: { apples: [0.012, -0.02, -0.012] } },
  { name: 'cheekLight', paint: { cheeks: [0.022, 0.014, 0.01] }, specular: { cheeks: 0.004 } },
  { name: 'noseRed', paint: { nose: [0.014, -0.02, -0.012], noseWings: [0.004, -0.01, -0.006] } },
  { name: 'noseLight', paint: { nose: [0.026, 0.017, 0.013] }, specular: { nose: 0.005 } },
  { name: 'noseWings', paint: { noseWings: [-0.04, -0.03, -0.021] } },
  { name: 'nostrils', paint: { nostrils: [-0.06, -0.036, -0.025] } },
  { name: 'foreheadLight', paint: { forehead: [0.028, 0.019, 0.014] }, specular: { forehead: 0.004 } },
  { name: 'foreheadRed', paint: { forehead: [0.006, -0.012, -0.008] } },
  { name: 'temples', paint: { temples: [-0.026, -0.018, -0.013] } },
  { name: 'chinLight', paint: { chin: [0.024, 0.015, 0.011] }, specular: { chin: 0.003 } },
  { name: 'beardShadow', paint: { beard: [-0.05, -0.028, -0.014] } },
  { name: 'beardDense', paint: { beard: [-0.055, -0.034, -0.024], moustache: [-0.02, -0.012, -0.009] } },
  { name: 'moustache', paint: { moustache: [-0.06, -0.037, -0.026] } },
  { name: 'socketDark', paint: { socket: [-0.03, -0.026, -0.017] } },
  { name: 'underEye', paint: { underEye: [-0.034, -0.03, -0.016] } },
  { name: 'upperLid', paint: { upperLid: [-0.045, -0.034, -0.023] } },
  { name: 'lidLine', paint: { lidLine: [-0.09, -0.056, -0.04], lowerLidLine: [-0.03, -0.02, -0.014] } },
  { name: 'lowerLidLine', paint: { lowerLidLine: [-0.06, -0.04, -0.028] } },
  { name: 'irisLight', paint: { iris: [0.035, 0.036, 0.034] } },
  { name: 'irisBlue', paint: { iris: [-0.028, 0.008, 0.045] } },
  { name: 'irisGreen', paint: { iris: [-0.006, 0.018, -0.008] } },
  { name: 'scleraLight', paint: { sclera: [0.05, 0.05, 0.05] } },
  { name: 'scleraRed', paint: { sclera: [0.01, -0.02, -0.02], scleraCorner: [0.02, -0.03, -0.03] } },
  { name: 'fold', paint: { fold: [-0.03, -0.024, -0.016] } },
  { name: 'sides', paint: { sides: [-0.035, -0.024, -0.017] }, specular: { sides: -0.004 } },
  {
    name: 'oil',
    paint: { skinOnly: [0.006, 0.004, 0.003] },
    specular: { skinOnly: 0.007, nose: 0.004, forehead: 0.004 },
  },
  { name: 'mouthDark', paint: { mouth: [-0.03, -0.009, -0.008] } },
]

/** Share of each part of the face where several masks overlap. */
function skinOnly(masks: FaceMasks): Float64Array {
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
  add(masks.apples, [0.016, -0.016, -0.01])
  add(masks.nose, [0.014, -0.014, -0.009])
  add(masks.noseWings, [-0.012, -0.02, -0.013])
  add(masks.forehead, [0.012, 0.008, 0.004])
  add(masks.socket, [-0.025, -0.022, -0.013])
  add(masks.underEye, [-0.022, -0.02, -0.01])
  add(masks.upperLid, [-0.03, -0.028, -0.018])
  add(masks.beard, [-0.018, -0.009, -0.004])
  add(masks.fold, [-0.014, -0.012, -0.008])
  add(masks.temples, [-0.014, -0.01, -0.006])
  over(masks.nostrils, [0.1, 0.04, 0.03], 0.75)
  over(masks.lips, LIPS, 0.92)
  over(masks.lidMargin, [0.36, 0.18, 0.15], 0.7)
  over(masks.brows, BROWS, 0.72)
  over(masks.lidLine, [0.06, 0.04, 0.032], 0.75)
  over(masks.lowerLidLine, [0.12, 0.07, 0.055], 0.45)
  over(masks.sclera, SCLERA, 1)
  over(masks.scleraCorner, [0.4, 0.27, 0.24], 0.6)
  over(masks.iris, IRIS, 1)
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

/** The painted modes as amounts of masks: diffuse `[P, M, 3]`, specular `[P, M]`, masks `[M][N]` in 0..1. */
export function paintModes(masks: FaceMasks): {
  names: string[]
  masks: Float64Array[]
  diffuse: Float32Array
  specular: Float32Array
} {
  const all: Partial<Record<string, Float64Array>> = { skinOnly: skinOnly(masks), ...masks }
  const used = Object.keys(all).filter((mask) =>
    paintedModes.some(({ paint, specular = {} }) => mask in paint || mask in specular),
  )
  const diffuse = new Float32Array(paintedModes.length * used.length * 3)
  const specular = new Float32Array(paintedModes.length * used.length)
  paintedModes.forEach((mode, p) => {
    for (const [mask, color] of Object.entries(mode.paint)) {
      diffuse.set(color, (p * used.length + used.indexOf(mask)) * 3)
    }
    for (const [mask, value] of Object.entries(mode.specular ?? {})) {
      specular[p * used.length + used.indexOf(mask)] = value
    }
  })
  return {
    names: paintedModes.map(({ name }) => name),
    masks: used.map((mask) => all[mask]!),
    diffuse,
    specular,
  }
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
      diffuse: mode(k, [0.032, 0.02, 0.0145]),
    })),
    ...Array.from({ length: counts.red }, (_, k) => ({
      name: `red${k}`,
      diffuse: mode(k, [0.006, -0.009, -0.006]),
    })),
  ]
}
