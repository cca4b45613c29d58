import { lowerLipRings, rightBrow, rightEyeRings, upperLipRings } from './face-parts.js'
import type { FaceMesh } from './face-mesh.js'
import { applyStencils } from './loop-subdivision.js'

/** Smooth masks 0..1 of the parts of a face, one number a vertex. */
export type FaceMasks = Record<
  | 'skin'
  | 'mouth'
  | 'lips'
  | 'lipBorder'
  | 'brows'
  | 'browTop'
  | 'browTail'
  | 'browHead'
  | 'lidLine'
  | 'lowerLidLine'
  | 'upperLid'
  | 'underEye'
  | 'socket'
  | 'cheeks'
  | 'apples'
  | 'nose'
  | 'noseWings'
  | 'nostrils'
  | 'forehead'
  | 'temples'
  | 'chin'
  | 'beard'
  | 'moustache'
  | 'fold'
  | 'sides'
  | 'lidMargin'
  | 'sclera'
  | 'scleraCorner'
  | 'iris'
  | 'limbus'
  | 'pupil',
  Float64Array
>

export const smoothstep = (from: number, to: number, x: number): number => {
  const t = Math.min(Math.max((x - from) / (to - from), 0), 1)
  return t * t * (3 - 2 * t)
}

type Point = [number, number, number]

/** Distance to a line through points, and where along it (0 at its start, 1 at its end). */
function toPolyline(p: Point, line: readonly Point[]): { distance: number; along: number; above: number } {
  let best = { distance: Infinity, along: 0, above: 0 }
  for (let k = 0; k + 1 < line.length; k++) {
    const [a, b] = [line[k], line[k + 1]]
    const direction = b.map((value, c) => value - a[c])
    const squared = direction.reduce((sum, value) => sum + value * value, 0)
    const dot = direction.reduce((sum, value, c) => sum + value * (p[c] - a[c]), 0)
    const t = Math.min(Math.max(dot / squared, 0), 1)
    const nearest = a.map((value, c) => value + t * direction[c])
    const distance = Math.hypot(...p.map((value, c) => value - nearest[c]))
    if (distance < best.distance) {
      best = { distance, along: (k + t) / (line.length - 1), above: p[1] - nearest[1] }
    }
  }
  return best
}

/** How brows are painted: their thickness in parts of the first version's, and how much nearer to their upper edge they lie, in
 * parts of the distance between both edges. */
export interface BrowStyle {
  thickness: number
  raise: number
}

/** Paints the masks on the mean face; all are mirror-symmetric, up to the mesh. */
export function paintMasks(
  mesh: FaceMesh,
  { thickness, raise }: BrowStyle = { thickness: 1, raise: 0 },
): FaceMasks {
  const count = mesh.stencils.length
  const point = (i: number): Point => [mesh.mean[i * 3], mesh.mean[i * 3 + 1], mesh.mean[i * 3 + 2]]
  const controlMask = (weights: readonly (readonly [readonly number[], number])[]) => {
    const control = new Float64Array(468)
    for (const [vertices, weight] of weights) for (const i of vertices) control[i] = weight
    return applyStencils(mesh.stencils, control, 1)
  }
  const rings = (r: number) => [...upperLipRings[r], ...lowerLipRings[r]]
  const lips = controlMask([
    [rings(0), 0.42],
    [rings(1), 1],
    [rings(2), 1],
    [rings(3), 1],
  ])
  // From the subject's right outer end inwards, midway between both edges of the brow.
  const brow = rightBrow.upper.map((i, k): Point => {
    const [a, b] = [point(i), point(rightBrow.lower[k])]
    const mix = [0.5, 0.5, 0.46, 0.45, 0.42][k] - raise
    return [a[0] + (b[0] - a[0]) * mix, a[1] + (b[1] - a[1]) * mix, a[2] + (b[2] - a[2]) * mix]
  })
  const edge = rightEyeRings[0]
  const upperEdge = edge.slice(0, 9).map(point)
  const lowerEdge = [edge[8], ...edge.slice(9), edge[0]].map(point)
  const nostrils = controlMask([
    [[59, 75, 60, 235], 1],
    [[289, 305, 290, 455], 1],
    [[240, 99, 166], 0.75],
    [[460, 328, 392], 0.75],
  ])
  const fold = [98, 206, 216, 212].map(point)

  const names = [
    'skin mouth lips lipBorder brows browTop browTail browHead lidLine lowerLidLine upperLid underEye socket',
    'cheeks apples nose noseWings nostrils forehead temples chin beard moustache fold sides lidMargin',
    'sclera scleraCorner iris limbus pupil',
  ]
  const masks = Object.fromEntries(
    names
      .join(' ')
      .split(' ')
      .map((name) => [name, new Float64Array(count)]),
  ) as FaceMasks
  const eye = mesh.eyeballs[0].center

  for (let i = 0; i < count; i++) {
    const [x, y, z] = point(i)
    // The right half stands for both.
    const p: Point = [-Math.abs(x), y, z]
    const blob = (cx: number, cy: number, cz: number, rx: number, ry: number, rz = 40) =>
      Math.exp(-(((p[0] - cx) / rx) ** 2) - ((y - cy) / ry) ** 2 - ((z - cz) / rz) ** 2)
    const middle = (cy: number, rx: number, ry: number) => Math.exp(-((x / rx) ** 2) - ((y - cy) / ry) ** 2)
    if (i >= mesh.lidEnd) continue
    if (i >= mesh.skinEnd && i < mesh.mouthEnd) {
      masks.mouth[i] = 1
      continue
    }
    masks.skin[i] = 1
    masks.lidMargin[i] = i >= mesh.mouthEnd ? 1 : 0
    masks.lips[i] = smoothstep(0.3, 0.62, lips[i])
    masks.lipBorder[i] = Math.exp(-(((lips[i] - 0.42) / 0.2) ** 2))
    const offLips = 1 - masks.lips[i]

    const { distance, along, above } = toPolyline(p, brow)
    const half = 0.9 + 2.3 * smoothstep(0, 0.45, along) * (1 - 0.15 * smoothstep(0.8, 1, along))
    const density = smoothstep(0, 0.12, along + 0.04) * (1 - 0.45 * smoothstep(0.85, 1, along))
    masks.brows[i] =
      density * (1 - smoothstep(thickness * half * 0.5, thickness * (half * 1.5 + 0.9), distance))
    masks.browTop[i] = Math.exp(-(((above - 3.4 * thickness) / 1.8) ** 2)) * (1 - smoothstep(4, 7, distance))
    masks.browTail[i] = (1 - smoothstep(2, 6, distance)) * (1 - smoothstep(0.15, 0.5, along))
    masks.browHead[i] = (1 - smoothstep(2, 7, distance)) * smoothstep(0.6, 1, along)

    const upper = toPolyline(p, upperEdge)
    const lower = toPolyline(p, lowerEdge)
    masks.lidLine[i] = 1 - smoothstep(0.2, 1.9, upper.distance)
    masks.lowerLidLine[i] = 1 - smoothstep(0.1, 1.3, lower.distance)
    const aboveEye = smoothstep(-0.5, 1.5, y - eye[1])
    masks.upperLid[i] = aboveEye * (1 - smoothstep(3, 11, upper.distance))
    masks.underEye[i] = blob(-28, 16, 38, 13, 6.5)
    masks.socket[i] = blob(eye[0] + 1, 29, 38, 20, 14)
    masks.cheeks[i] = blob(-46, -8, 35, 22, 20) * (1 - masks.underEye[i])
    masks.apples[i] = blob(-40, -5, 40, 18, 16)
    masks.nose[i] = Math.exp(-((x / 15) ** 2) - ((y + 6) / 13) ** 2) * smoothstep(48, 62, z)
    masks.noseWings[i] = blob(-15, -12, 58, 6, 8, 14)
    masks.nostrils[i] = smoothstep(0.3, 0.8, nostrils[i])
    masks.forehead[i] = smoothstep(50, 64, y)
    masks.temples[i] = blob(-64, 40, 5, 16, 24)
    masks.chin[i] = middle(-78, 18, 11)
    const jawLine = smoothstep(-28, -46, y + 0.16 * Math.abs(x))
    const sideBurn = blob(-72, -22, -10, 10, 26)
    const moustache = blob(-9, -27, 58, 15, 5.5) + blob(-22, -38, 48, 6, 9)
    masks.moustache[i] = Math.min(moustache, 1) * offLips
    masks.beard[i] = Math.min(jawLine + 0.8 * sideBurn + masks.moustache[i], 1) * offLips
    const toFold = toPolyline(p, fold)
    masks.fold[i] = Math.exp(-((toFold.distance / 3.5) ** 2)) * (1 - 0.6 * toFold.along)
    masks.sides[i] = smoothstep(30, -10, z)
  }
  for (const eyeball of mesh.eyeballs) {
    eyeball.distances.forEach((distance, v) => {
      const i = eyeball.start + v
      masks.pupil[i] = 1 - smoothstep(1.85, 2.25, distance)
      masks.iris[i] = 1 - smoothstep(5.3, 6.3, distance)
      masks.limbus[i] = Math.exp(-(((distance - 5.5) / 0.9) ** 2))
      masks.sclera[i] = 1 - masks.iris[i]
      masks.iris[i] *= 1 - masks.pupil[i]
      masks.scleraCorner[i] = smoothstep(7, 13, distance)
    })
  }
  return masks
}
