import { ModelFormatError } from '@facekit/core'
import { type Similarity3d, rotationAngle } from '@facekit/mesh'

/** Turns that differ by less are the same, radians: faces look up or down a little. */
const SAME_TURN = 0.35

/** The turn of whole axes that a rotation is near to, or itself. */
function alongAxes(rotation: readonly number[]): readonly number[] {
  const axes = rotation.map((value) => Math.round(value) || 0)
  // Row by row one axis, each once: else the rotation lies between turns of axes.
  const isTurn = [0, 1, 2].every(
    (i) =>
      [0, 1, 2].filter((k) => axes[i * 3 + k] !== 0).length === 1 &&
      [0, 1, 2].filter((k) => axes[k * 3 + i] !== 0).length === 1,
  )
  const between = [0, 1, 2].flatMap((r) =>
    [0, 1, 2].map((c) => [0, 1, 2].reduce((sum, k) => sum + rotation[r * 3 + k] * axes[c * 3 + k], 0)),
  )
  return isTurn && rotationAngle(between) < SAME_TURN ? axes : rotation
}

/** What brings a mesh to model space: its unit, its place, and a turn only where it looks elsewhere. */
export function motionToModelSpace(
  who: string,
  similarity: Similarity3d,
  millimetres: number | undefined,
): Similarity3d {
  const units = millimetres === undefined ? [1, 10, 1000, 0.001, 0.1, 100] : [millimetres]
  // A file's 0.001 m in half of the digits is still a millimetre.
  const near = units.map((unit) => (Math.abs(unit - 1) < 1e-6 ? 1 : unit))
  const scale = near.find((unit) => similarity.scale > unit * 0.7 && similarity.scale < unit * 1.4)
  if (scale === undefined) {
    throw new ModelFormatError(
      `${who}: one unit of the mesh would have to be ${similarity.scale.toPrecision(3)} mm for a face of usual size, expected ${units.length === 1 ? units[0] : '1 (mm), 10 (cm), 1000 (m) or 0.001'}; check the unit and the landmarks`,
    )
  }
  const rotation = alongAxes(similarity.rotation)
  // The middle of the template's landmarks stays where the similarity puts it.
  const s = similarity
  const anchor = [0, 0, 30]
  const back = anchor.map((value, c) => value - s.translation[c])
  const local = [0, 1, 2].map(
    (c) => (s.rotation[c] * back[0] + s.rotation[3 + c] * back[1] + s.rotation[6 + c] * back[2]) / s.scale,
  )
  const translation = [0, 1, 2].map(
    (r) =>
      anchor[r] -
      scale * (rotation[r * 3] * local[0] + rotation[r * 3 + 1] * local[1] + rotation[r * 3 + 2] * local[2]),
  ) as [number, number, number]
  return { scale, rotation, translation }
}

/** Whether modes stay as they are. */
export const isTranslation = ({ scale, rotation }: Similarity3d) =>
  scale === 1 && rotation.every((value, i) => value === (i % 4 === 0 ? 1 : 0))

/** Modes `[K * N * 3]`, scaled and turned. */
export function turnModes({ scale, rotation: r }: Similarity3d, modes: Float32Array): Float32Array {
  const result = new Float32Array(modes.length)
  const [a, b, c, d, e, f, g, h, i] = r.map((value) => value * scale)
  for (let at = 0; at < modes.length; at += 3) {
    const x = modes[at]
    const y = modes[at + 1]
    const z = modes[at + 2]
    result[at] = a * x + b * y + c * z
    result[at + 1] = d * x + e * y + f * z
    result[at + 2] = g * x + h * y + i * z
  }
  return result
}

/** Turns all triangles around where the face would be seen from inside. */
export function orientTriangles(
  positions: Float32Array,
  triangles: Int32Array,
  polygons: Int32Array | undefined,
  landmarks: Int32Array,
): void {
  const near = new Set(landmarks.subarray(17))
  let towards = 0
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    if (![0, 1, 2].some((k) => near.has(triangles[t + k]))) continue
    towards +=
      (positions[b] - positions[a]) * (positions[c + 1] - positions[a + 1]) -
      (positions[b + 1] - positions[a + 1]) * (positions[c] - positions[a])
  }
  if (towards >= 0) return
  for (let t = 0; t < triangles.length; t += 3) {
    ;[triangles[t + 1], triangles[t + 2]] = [triangles[t + 2], triangles[t + 1]]
  }
  for (let p = 0; p < (polygons?.length ?? 0); p += 4) {
    const last = polygons![p + 3] < 0 ? p + 2 : p + 3
    ;[polygons![p + 1], polygons![last]] = [polygons![last], polygons![p + 1]]
  }
}
