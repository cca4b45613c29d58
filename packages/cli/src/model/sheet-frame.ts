import { defaultCamera } from '@facekit/render'

/** Where faces of a contact sheet stand, all alike, so that sizes can be compared. */
export interface SheetFrame {
  scale: number
  /** mm, before the scale. */
  translation: [number, number, number]
}

/** Share of the picture that the largest face may fill. */
const FILL = 0.95

/** The frame in which every face fits into the picture, however far the jaw drops.
 *
 * @param shapes - `[N * 3]` mm each
 * @param yaws - of the views, radians
 */
export function sheetFrame(shapes: readonly Float32Array[], yaws: readonly number[]): SheetFrame {
  const low = [Infinity, Infinity]
  const high = [-Infinity, -Infinity]
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i += 3) {
      for (const c of [0, 1]) {
        low[c] = Math.min(low[c], shape[i + c])
        high[c] = Math.max(high[c], shape[i + c])
      }
    }
  }
  const [x, y] = [0, 1].map((c) => -(low[c] + high[c]) / 2)
  const { fieldOfView, distance } = defaultCamera
  const focal = 1 / Math.tan(fieldOfView / 2)
  let scale = Infinity
  for (const yaw of yaws) {
    const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)]
    for (const shape of shapes) {
      for (let i = 0; i < shape.length; i += 3) {
        const side = Math.abs(cos * (shape[i] + x) + sin * shape[i + 2])
        const height = Math.abs(shape[i + 1] + y)
        const depth = cos * shape[i + 2] - sin * (shape[i] + x)
        // focal * scale * size / (distance - scale * depth) = FILL
        const room = focal * Math.max(side, height) + FILL * depth
        if (room > 0) scale = Math.min(scale, (FILL * distance) / room)
      }
    }
  }
  return { scale, translation: [x, y, 0] }
}
