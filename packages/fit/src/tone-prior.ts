/** What is known beforehand of the colour of skin and of the light on it. A picture shows their product only.
 *
 * A colour is told by y, the logarithm of its luminance, u = log(red / green) and v = log(blue / green), all linear RGB. */
export const tonePrior = {
  /** Skin: y about log 0.2; along the path that melanin and blood take it, u and v follow y. A two-layer skin with melanosome fractions of 0.01 to
   * 0.4 and blood fractions of 0.005 to 0.05 (scattering and melanin by Jacques, Phys. Med. Biol. 58, 2013; haemoglobin by Prahl, OMLC)
   * has u = 0.86 - 0.56 t and v = -0.69 + 0.57 t, t = y - log 0.2; skin that is measured is paler where it is dark. The widths hold both, and
   * what cameras make of it. */
  skin: {
    luminance: { mean: Math.log(0.2), deviation: 0.55 },
    redGreen: { mean: 0.75, slope: -0.35, deviation: 0.13 },
    blueGreen: { mean: -0.55, slope: 0.28, deviation: 0.15 },
  },
  /** Light, as irradiance where white paper would be 1: cameras expose for it and balance its white. What they leave lies along the
   * temperatures of daylight and tungsten (`illuminantColor`): (u, v) in the direction (0.55, -0.83), seldom across. Coloured
   * lamps and pictures taken in the dark are rare, but then they are far from it: the tails are those of Student's t. */
  light: {
    luminance: { mean: Math.log(0.9), deviation: 0.3, freedom: 2 },
    temperature: { direction: [0.55, -0.83] as const, deviation: 0.2 },
    green: { deviation: 0.06 },
    freedom: 4,
  },
}

/** Weights of linear RGB in the luminance (IEC 61966-2-1). */
export const luminanceWeights = [0.2126, 0.7152, 0.0722] as const

type Color = [red: number, green: number, blue: number]

function describe([red, green, blue]: Color): { y: number; u: number; v: number } {
  const [a, b, c] = luminanceWeights
  return {
    y: Math.log(a * red + b * green + c * blue),
    u: Math.log(red / green),
    v: Math.log(blue / green),
  }
}

/** Student's t in place of a Gaussian, as the root of a cost. */
const tailed = (square: number, freedom: number) => Math.sqrt(freedom * Math.log1p(square / freedom))

/** Least squares whose sum is the prior's cost: the three of the skin, the light's strength, the light's colour. */
function residuals(skin: Color, light: Color): number[] {
  const s = describe(skin)
  const l = describe(light)
  const { luminance, redGreen, blueGreen } = tonePrior.skin
  const t = s.y - luminance.mean
  const { temperature, green, freedom, luminance: strength } = tonePrior.light
  const [du, dv] = temperature.direction
  const along = (l.u * du + l.v * dv) / temperature.deviation
  const across = (l.u * dv - l.v * du) / green.deviation
  const square = along ** 2 + across ** 2
  return [
    t / luminance.deviation,
    (s.u - redGreen.mean - redGreen.slope * t) / redGreen.deviation,
    (s.v - blueGreen.mean - blueGreen.slope * t) / blueGreen.deviation,
    tailed(((l.y - strength.mean) / strength.deviation) ** 2, strength.freedom),
    tailed(square, freedom),
  ]
}

const ROUNDS = 40

/** How a colour is shared out between skin and light: factors of the three channels, by which the skin is to be multiplied and the light to be
 * divided, so that both are as likely as can be. The product stays.
 *
 * @param skin - mean diffuse albedo of the skin, linear RGB, above 0
 * @param light - mean irradiance on it, above 0
 */
export function shareTone(skin: Color, light: Color): Color {
  const cost = (g: number[]) =>
    residuals(
      skin.map((value, c) => value * Math.exp(g[c])) as Color,
      light.map((value, c) => value / Math.exp(g[c])) as Color,
    ).reduce((sum, r) => sum + r * r, 0)
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
