/** What is known beforehand of the colour of skin and of the light on it. A picture shows their product only.
 *
 * A colour is told by y, the logarithm of its luminance, u = log(red / green) and v = log(blue / green), all linear RGB. */
export const tonePrior = {
  /** Skin: y about log 0.22; along the path that melanin and blood take it, u and v follow y. A two-layer skin with melanosome fractions of 0.01 to
   * 0.4 and blood fractions of 0.005 to 0.05 (scattering and melanin by Jacques, Phys. Med. Biol. 58, 2013; haemoglobin by Prahl, OMLC)
   * has u = 0.86 - 0.56 t and v = -0.69 + 0.57 t, t = y - log 0.2; skin that is measured is paler where it is dark. The widths hold both, and
   * what cameras make of it. */
  skin: {
    // The fairest skin that is measured reflects little more than `most`: beyond, the logarithm has a deviation of its own.
    luminance: { mean: Math.log(0.22), deviation: 0.8, most: Math.log(0.41), beyond: 0.15 },
    redGreen: { mean: 0.75, slope: -0.35, deviation: 0.13 },
    blueGreen: { mean: -0.55, slope: 0.28, deviation: 0.15 },
  },
  /** Light, as irradiance where white paper would be 1: cameras expose for it, more or less, and balance its white. What they leave lies along the
   * temperatures of daylight and tungsten (`illuminantColor`): (u, v) in the direction (0.55, -0.83), seldom across. Coloured
   * lamps and pictures taken in the dark are rare, but then they are far from it: the tails are those of Student's t. */
  light: {
    luminance: { mean: Math.log(0.65), deviation: 0.5, freedom: 8 },
    temperature: { direction: [0.55, -0.83] as const, deviation: 0.3 },
    green: { deviation: 0.07 },
    freedom: 4,
  },
  /** White of the eyes, the brightest part of it (see `eyeWhites`), as the picture's colour over the irradiance of an unshaded eyeball: its albedo of about
   * 0.65 less a little shade of lids and lashes, which make it darker, never brighter; what does is a lamp that mirrors in it, `perGloss` for each share of the light.
   * Deep lids shade it by half or more, but seldom do rendered heads show it: a tail so heavy (`shaded`) lets such eyes say next to nothing.
   * Blood, the yellow of age and the lids' border tint it. */
  whites: {
    luminance: { mean: Math.log(0.6), above: 0.12, below: 0.15, perGloss: 2, shaded: 0.5 },
    redGreen: { mean: 0.1, deviation: 0.07 },
    blueGreen: { mean: -0.08, deviation: 0.08 },
    freedom: 3,
  },
}

/** Weights of linear RGB in the luminance (IEC 61966-2-1). */
export const luminanceWeights = [0.2126, 0.7152, 0.0722] as const

export type Color = [red: number, green: number, blue: number]

/** What the white of the eyes says of the light in a picture. */
export interface WhiteEvidence {
  /** Colour of the whites in the picture, linear RGB. */
  seen: Color
  /** Irradiance on them by the light that is supposed. */
  light: Color
  /** Highlight of the lamp that may lie on them, linear. */
  gloss: number
  /** 0..1 how surely it is the white that is seen. */
  trust: number
}

/** The light of one picture. */
export interface ToneLight {
  /** Mean irradiance on the skin, above 0. */
  light: Color
  /** Absent: the whites are not seen. */
  whites?: WhiteEvidence
}

function describe([red, green, blue]: Color): { y: number; u: number; v: number } {
  const [a, b, c] = luminanceWeights
  return {
    y: Math.log(a * red + b * green + c * blue),
    u: Math.log(red / green),
    v: Math.log(blue / green),
  }
}

/** Student's t in place of a Gaussian. */
const tailed = (square: number, freedom: number) => freedom * Math.log1p(square / freedom)

/** -2 log p of a tone of skin. */
function skinCost(skin: Color): number {
  const s = describe(skin)
  const { luminance, redGreen, blueGreen } = tonePrior.skin
  const t = s.y - luminance.mean
  return (
    (t / luminance.deviation) ** 2 +
    (Math.max(s.y - luminance.most, 0) / luminance.beyond) ** 2 +
    ((s.u - redGreen.mean - redGreen.slope * t) / redGreen.deviation) ** 2 +
    ((s.v - blueGreen.mean - blueGreen.slope * t) / blueGreen.deviation) ** 2
  )
}

/** -2 log p of the light of a picture. */
function lightCost(light: Color): number {
  const l = describe(light)
  const { temperature, green, freedom, luminance } = tonePrior.light
  const [du, dv] = temperature.direction
  const along = (l.u * du + l.v * dv) / temperature.deviation
  const across = (l.u * dv - l.v * du) / green.deviation
  return (
    tailed(((l.y - luminance.mean) / luminance.deviation) ** 2, luminance.freedom) +
    tailed(along ** 2 + across ** 2, freedom)
  )
}

/** -2 log p of the whites of the eyes under a light. */
function whitesCost({ seen, gloss, trust }: WhiteEvidence, light: Color): number {
  const { luminance, redGreen, blueGreen, freedom } = tonePrior.whites
  const w = describe(seen.map((value, c) => value / light[c]) as Color)
  const off = w.y - luminance.mean
  const above = luminance.above + luminance.perGloss * (gloss / Math.exp(describe(light).y))
  const level = (off / (off > 0 ? above : luminance.below)) ** 2
  const hue =
    ((w.u - redGreen.mean) / redGreen.deviation) ** 2 + ((w.v - blueGreen.mean) / blueGreen.deviation) ** 2
  return trust * (tailed(level, off > 0 ? freedom : luminance.shaded) + tailed(hue, freedom))
}

const ROUNDS = 40

/** How a colour is shared out between skin and light: factors of the three channels, by which the skin is to be multiplied and every light to be
 * divided, so that all are as likely as can be. The products stay.
 *
 * @param skin - mean diffuse albedo of the skin, linear RGB, above 0
 * @param lights - of each picture of the person
 */
export function shareTone(skin: Color, lights: readonly ToneLight[]): Color {
  const cost = (g: number[]) => {
    const under = (light: Color) => light.map((value, c) => value / Math.exp(g[c])) as Color
    let sum = skinCost(skin.map((value, c) => value * Math.exp(g[c])) as Color)
    for (const { light, whites } of lights) {
      sum += lightCost(under(light))
      if (whites) sum += whitesCost(whites, under(whites.light))
    }
    return sum
  }
  // Three unknowns: a pattern search needs no derivatives, and no step of it goes uphill.
  let best = [0, 0, 0]
  let least = cost(best)
  const directions = [
    [1, 1, 1],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, -1],
  ]
  let step = 0.4
  for (let round = 0; round < ROUNDS; round++) {
    let moved = false
    for (const direction of directions) {
      for (const sign of [1, -1]) {
        const next = best.map((value, c) => value + sign * step * direction[c])
        const value = cost(next)
        if (value >= least) continue
        best = next
        least = value
        moved = true
      }
    }
    if (!moved) step /= 2
  }
  return best.map(Math.exp) as Color
}
