import { faceJoints, type MorphableModel } from '@facekit/morphable'
import type { Vec3 } from './vector.js'

/** What moves the lower jaw, by ARKit's names. */
export const JAW_MOTIONS = ['jawOpen', 'jawForward', 'jawLeft', 'jawRight'] as const

/** Skin within this of the chin's landmark goes with the bone, mm. */
const CHIN = 12

/** How the lower jaw of a model's mean face moves with its expressions, `[4][12]`: what a 3 x 3 matrix, row by row, and what is added, mm, move a point by.
 *
 * Bones are rigid: the jaw turns about its condyles, open about the axis through both, aside about the middle between them, and slides so far that the chin
 * is where its skin is.
 */
export function jawMotions(model: MorphableModel): number[][] {
  const mean = model.shape.mean.data
  const at = (from: ArrayLike<number>, v: number): Vec3 => [from[3 * v], from[3 * v + 1], from[3 * v + 2]]
  const menton = at(mean, model.landmarks[8])
  const chin: number[] = []
  for (let v = 0; v < model.vertexCount; v++)
    if (Math.hypot(...at(mean, v).map((value, c) => value - menton[c])) < CHIN) chin.push(v)
  const average = (of: (v: number) => Vec3) =>
    [0, 1, 2].map((c) => chin.reduce((sum, v) => sum + of(v)[c], 0) / chin.length) as never as Vec3
  const jaw = faceJoints(model, mean as Float32Array).joints.find(({ name }) => name === 'jaw')!
  const hinge = jaw.position
  const middle = average((v) => at(mean, v))
  return JAW_MOTIONS.map((name) => {
    const k = model.shape.expressionNames!.indexOf(name)
    const field = model.shape.expression.data.subarray(3 * k * model.vertexCount)
    const moved = average((v) => at(field, v))
    const turn =
      name === 'jawOpen'
        ? turnAbout(0, jaw.openAngle!)
        : turnAbout(1, name === 'jawForward' ? 0 : Math.atan2(moved[0], middle[2] - hinge[2]))
    // (R - I) (p - hinge) + slide
    const matrix = turn.map((value, i) => value - (i % 4 === 0 ? 1 : 0))
    const turned = (p: Vec3) =>
      [0, 1, 2].map((r) => [0, 1, 2].reduce((sum, c) => sum + matrix[3 * r + c] * (p[c] - hinge[c]), 0))
    const offset = turned([0, 0, 0])
    const slide = turned(middle).map((value, c) => moved[c] - value)
    return [...matrix, ...offset.map((value, c) => value + slide[c])]
  })
}

/** Right-handed turn about x (0) or y (1), row by row. */
function turnAbout(axis: 0 | 1, angle: number): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  return axis === 0 ? [1, 0, 0, 0, c, -s, 0, s, c] : [c, 0, s, 0, 1, 0, -s, 0, c]
}
