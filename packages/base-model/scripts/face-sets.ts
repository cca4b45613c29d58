import type { FaceMasks } from './face-masks.js'
import type { FaceMesh } from './face-mesh.js'
import { landmarks68 } from './face-parts.js'

/** Millimetres on the face for the width of the texture, roughly. */
const UV_SCALE = 190

/** Vertices that can be the visible contour at each of the 17 jaw landmarks, from the rim inwards: along the row at the
 * landmark's height for the sides, upwards for the chin. */
export function jawContours(mesh: FaceMesh): number[][] {
  const step = 0.006
  return landmarks68.slice(0, 17).map((landmark, k) => {
    // Straight inwards down to the corner of the jaw, then turning until it is straight up at the chin.
    const turn = (Math.PI / 2) * Math.sign(8 - k) * [0, 0.2, 0.45, 0.75, 1][Math.min(Math.abs(8 - k), 4)]
    const direction = [Math.sin(turn), Math.cos(turn)]
    const length = Math.hypot(...direction)
    const list: number[] = [landmark]
    for (let along = step; along < 0.2; along += step) {
      const [u, y] = [
        mesh.uv[landmark * 2] + (direction[0] / length) * along,
        mesh.mean[landmark * 3 + 1] + (direction[1] / length) * along * UV_SCALE,
      ]
      let best: number = landmark
      let bestDistance = Infinity
      for (let i = 0; i < mesh.skinEnd; i++) {
        const distance = Math.hypot((mesh.uv[i * 2] - u) * UV_SCALE, mesh.mean[i * 3 + 1] - y)
        if (distance < bestDistance) {
          best = i
          bestDistance = distance
        }
      }
      if (!list.includes(best)) list.push(best)
    }
    return list
  })
}

/** Named sets of vertices. */
export function regions(mesh: FaceMesh, masks: FaceMasks): Record<string, number[]> {
  const where = (test: (i: number) => boolean) =>
    Array.from({ length: mesh.stencils.length }, (_, i) => i).filter(test)
  const x = (i: number) => mesh.mean[i * 3]
  const isSkin = (i: number) => i < mesh.skinEnd && masks.lips[i] < 0.5 && masks.brows[i] < 0.35
  return {
    skin: where(isSkin),
    lips: where((i) => masks.lips[i] >= 0.5),
    brows: where((i) => masks.brows[i] >= 0.35),
    browLeft: where((i) => masks.brows[i] >= 0.35 && x(i) > 0),
    browRight: where((i) => masks.brows[i] >= 0.35 && x(i) < 0),
    sclera: where((i) => masks.sclera[i] >= 0.5),
    iris: where((i) => masks.iris[i] + masks.pupil[i] > 0.5),
    eyeLeft: where((i) => i >= mesh.lidEnd && x(i) > 0),
    eyeRight: where((i) => i >= mesh.lidEnd && x(i) < 0),
    lids: where((i) => i < mesh.skinEnd && (masks.upperLid[i] > 0.4 || masks.lowerLidLine[i] > 0.1)),
    lidMargins: where((i) => i >= mesh.mouthEnd && i < mesh.lidEnd),
    innerMouth: where((i) => i >= mesh.skinEnd && i < mesh.mouthEnd),
    nose: where((i) => masks.nose[i] > 0.3 || masks.noseWings[i] > 0.4),
    cheeks: where((i) => masks.cheeks[i] > 0.5 && isSkin(i)),
    forehead: where((i) => masks.forehead[i] > 0.5),
    chin: where((i) => masks.chin[i] > 0.4),
    beard: where((i) => masks.beard[i] > 0.5),
  }
}
