import type { Expression } from './expressions.js'
import type { Eyeball } from './eyeballs.js'

/** How the eyeballs' vertices move in the expressions that turn an eye: `[E * 3]` mm each, right eye first. */
export function gazeFields(
  expressions: readonly Expression[],
  eyeballs: readonly Eyeball[],
): { modes: number[]; fields: Float64Array[] } {
  const modes: number[] = []
  const fields: Float64Array[] = []
  expressions.forEach(({ gaze }, mode) => {
    if (!gaze) return
    modes.push(mode)
    const [cosPitch, sinPitch] = [Math.cos(gaze.pitch), Math.sin(gaze.pitch)]
    const [cosYaw, sinYaw] = [Math.cos(gaze.yaw), Math.sin(gaze.yaw)]
    const moves = eyeballs.flatMap(({ side, center, positions }) =>
      Array.from({ length: positions.length / 3 }, (_, v) => {
        if (side !== gaze.side) return [0, 0, 0]
        const [x, y, z] = center.map((value, c) => positions[v * 3 + c] - value)
        const [raised, back] = [y * cosPitch + z * sinPitch, z * cosPitch - y * sinPitch]
        return [x * cosYaw + back * sinYaw - x, raised - y, back * cosYaw - x * sinYaw - z]
      }).flat(),
    )
    fields.push(Float64Array.from(moves))
  })
  return { modes, fields }
}
