import type { DentalArch } from './dental-arch.js'
import type { Part } from './part.js'
import { lerp, piecewise, smoothstep, type Vec3 } from './vector.js'

/** Cross-sections from root to tip, and vertices of each. */
const [SECTIONS, AROUND] = [13, 16]
/** Half width, thickness and height of the middle line over the lower teeth's plane along it: 0 at the root, 1 at the tip; mm. The blade rests within the lower arch, and
 * the back rises to the palate. */
const HALF_WIDTH = [
  [0, 17],
  [0.35, 19],
  [0.6, 18.5],
  [0.8, 15.5],
  [0.92, 11],
  [1, 4.5],
] as const
const THICKNESS = [
  [0, 26],
  [0.4, 22],
  [0.7, 13],
  [0.9, 7],
  [1, 3.5],
] as const
const HEIGHT = [
  [0, -2],
  [0.25, 8],
  [0.5, 8.5],
  [0.75, 4.5],
  [0.92, 0.5],
  [1, -1.5],
] as const
/** How deep the median groove is, mm, and how wide, in parts of half the width. */
const [GROOVE, GROOVE_WIDTH] = [1.3, 0.16]
/** From the tip to the lower incisors and length, mm. */
const [BEHIND_TEETH, LENGTH] = [6, 63]

/** What moves the tip of a tongue that is put out: over the lower teeth and lip, mm. */
export const TONGUE_OUT: Vec3 = [0, 4, 31]

/** Adds a tongue that lies within the lower arch, with a groove along its middle. */
export function buildTongue(part: Part, arch: DentalArch): void {
  const front = arch.place(0)
  const tipZ = front[2] - BEHIND_TEETH
  const plane = (z: number) => {
    const end = arch.place(arch.half)
    return lerp(front[1], end[1], (front[2] - z) / (front[2] - end[2]))
  }
  const rows = Array.from({ length: SECTIONS }, (_, r) => {
    // Closer together towards the tip.
    const t = 1 - (1 - r / (SECTIONS - 1)) ** 1.25
    const z = tipZ - (1 - t) * LENGTH
    const width = piecewise(HALF_WIDTH, t)
    const thick = piecewise(THICKNESS, t)
    const top = plane(z) + piecewise(HEIGHT, t)
    const fade = smoothstep(0.05, 0.3, t) * (1 - smoothstep(0.82, 1, t))
    return Array.from({ length: AROUND }, (_, k) => {
      const angle = (2 * Math.PI * k) / AROUND
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
      const x = width * Math.sign(cosine) * Math.abs(cosine) ** 0.85
      const round = Math.sign(sine) * Math.abs(sine) ** 0.75
      const groove = sine > 0 ? GROOVE * fade * Math.exp(-((x / width / GROOVE_WIDTH) ** 2)) : 0
      const y = top - thick / 2 + (thick / 2) * round - groove
      const above = groove > 0.6 * GROOVE ? 0.45 : 0.75 + 0.25 * t
      const tint = sine > 0 ? above : lerp(0.2, 0.75, t)
      return part.add([x, y, z], lerp(0.55, 1, smoothstep(0, 0.45, t)), tint, smoothstep(0.1, 1.05, t))
    })
  })
  // Angles turn from +x upwards, seen from the front to the left above; rows go forward.
  for (let r = 1; r < rows.length; r++) part.band(rows[r - 1], rows[r], { closed: true })
  const end = rows.at(-1)!
  const tip = part.add(
    [0, 1, 2].map((c) =>
      c === 2 ? tipZ + 2.2 : end.reduce((sum, v) => sum + part.positions[v][c], 0) / end.length,
    ) as never,
    1,
    0.8,
    1,
  )
  end.forEach((v, k) => part.triangle([v, tip, end[(k + 1) % AROUND]]))
}
