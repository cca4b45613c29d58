import type { FaceMasks } from './face-masks.js'
import type { FaceMesh } from './face-mesh.js'

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
