/** Light on a face: distant light as spherical harmonics, and a lamp that makes highlights. */
export interface Light {
  /** `[9][3]` irradiance over pi, linear RGB, in the order of DESIGN's real spherical harmonics: (0,0) (1,-1) (1,0) (1,1) (2,-2) ... (2,2). */
  sphericalHarmonics: number[][]
  /** mm, world space: x to the right of the picture, y up, z to the camera. */
  lightPosition: [number, number, number]
  /** Linear RGB. */
  lightColor: [number, number, number]
}

type Vector = [number, number, number]

/** A distant lamp: from where, and what it makes of white that faces it. */
type Lamp = [direction: Vector, color: Vector]

/** Light from everywhere, and distant lamps. */
function lightOf(ambient: Vector, ...lamps: Lamp[]): Light {
  const { PI, sqrt, hypot } = Math
  const rows = Array.from({ length: 9 }, (): number[] => [0, 0, 0])
  rows[0] = ambient.map((value) => value * 2 * sqrt(PI))
  // A clamped cosine keeps these shares of the three bands (Ramamoorthi and Hanrahan, SIGGRAPH 2001).
  const bands = [PI, (2 * PI) / 3, PI / 4]
  const factors = [0.5 / sqrt(PI), sqrt(3 / (4 * PI)), 0.5 * sqrt(15 / PI), 0.25 * sqrt(5 / PI)]
  for (const [direction, color] of lamps) {
    const length = hypot(...direction)
    const [x, y, z] = direction.map((value) => value / length)
    const [f0, f1, f2, f3] = factors
    const values = [
      f0,
      f1 * y,
      f1 * z,
      f1 * x,
      f2 * x * y,
      f2 * y * z,
      f3 * (3 * z * z - 1),
      f2 * x * z,
      (f2 / 2) * (x * x - y * y),
    ]
    values.forEach((value, k) => {
      const share = value * bands[k === 0 ? 0 : k < 4 ? 1 : 2]
      for (let c = 0; c < 3; c++) rows[k][c] += share * color[c]
    })
  }
  const [[x, y, z], lightColor] = lamps[0]
  const reach = 1300 / hypot(x, y, z)
  return { sphericalHarmonics: rows, lightPosition: [x * reach, y * reach, z * reach], lightColor }
}

/** Lights by name; `'photograph'` is the one that was found in the photograph. */
export const lightPresets = {
  studio: lightOf(
    [0.28, 0.28, 0.3],
    [
      [0.7, 0.8, 1],
      [0.75, 0.73, 0.7],
    ],
    [
      [-1, 0.1, 0.4],
      [0.2, 0.22, 0.27],
    ],
  ),
  daylight: lightOf(
    [0.6, 0.64, 0.7],
    [
      [0.1, 1, 0.6],
      [0.45, 0.45, 0.44],
    ],
  ),
  window: lightOf(
    [0.14, 0.15, 0.18],
    [
      [-1, 0.25, 0.45],
      [0.95, 0.97, 1.05],
    ],
  ),
  sunset: lightOf(
    [0.2, 0.2, 0.27],
    [
      [1, 0.12, 0.5],
      [1.05, 0.62, 0.32],
    ],
    [
      [-1, 0.3, 0.1],
      [0.1, 0.14, 0.26],
    ],
  ),
  evening: lightOf(
    [0.2, 0.13, 0.07],
    [
      [-0.35, 0.75, 1],
      [0.85, 0.58, 0.33],
    ],
  ),
  side: lightOf(
    [0.05, 0.05, 0.055],
    [
      [1, 0.1, 0.12],
      [1.1, 1.08, 1.05],
    ],
  ),
} satisfies Record<string, Light>

/** Name of a light. */
export type LightName = keyof typeof lightPresets | 'photograph'
