import { alignPoints, moveAligned } from '../../src/learn/align-points.js'
import { controlArea } from '../control-area.js'
import { RADIUS, RINGS, SECTORS } from '../eyeballs.js'
import type { FaceMesh } from '../face-mesh.js'
import { mirrorVertices } from '../dense-landmarks.js'
import { placeEyes, type Eye } from './eyes.js'
import type { IctModel } from './ict-model.js'
import { placeLips, sealLips, type Lips } from './lips.js'
import type { Registration } from './register-template.js'

/** Gap between the closed lips, mm; ICT's are 0.8 apart. */
const LIP_GAP = 0.2
/** How far the edge of a lid reaches behind the front of the eyeball, mm. */
const LID_DEPTH = 3.5
/** The ring of the eyeball at the rim of the iris, in the mean of adults 11.7 mm wide. */
const [IRIS_RING, IRIS_RADIUS] = [5, 5.85]

/** A mean face with its eyes. */
export interface MeanFace {
  /** `[N * 3]` mm */
  positions: Float64Array
  /** `[9]` from ICT's axes to ours, row by row. */
  rotation: Float64Array
  eyes: Eye[]
  lips: Lips
  /** `[S]` mm^2 around each skin vertex. */
  area: Float64Array
}

/** Triangles between skin vertices. */
export function trianglesOfSkin(mesh: FaceMesh): number[] {
  return mesh.triangles.filter((_, i, all) => {
    const t = i - (i % 3)
    return all[t] < mesh.skinEnd && all[t + 1] < mesh.skinEnd && all[t + 2] < mesh.skinEnd
  })
}

/** ICT-FaceKit's mean face on our mesh: made exactly symmetric, turned and moved (not scaled) to where our canonical face is,
 * mouth closed, with our inner mouth, lid margins and eyeballs.
 */
export function makeMeanFace(
  mesh: FaceMesh,
  ict: IctModel,
  { positions: registered }: Registration,
): MeanFace {
  const skin = mesh.skinEnd
  const canonical = mesh.mean.slice(0, skin * 3)
  const area = controlArea(canonical, trianglesOfSkin(mesh))
  const mirror = mirrorVertices(mesh.mean)
  const symmetric = registered.map((value, i) => {
    const image = registered[mirror[Math.floor(i / 3)] * 3 + (i % 3)]
    return i % 3 === 0 ? (value - image) / 2 : (value + image) / 2
  })
  const { rotation } = alignPoints(symmetric, canonical, area)
  const turned = moveAligned({ scale: 1, rotation: upright(rotation), offset: [0, 0, 0] }, symmetric)
  const total = area.reduce((sum, value) => sum + value, 0)
  const offset = [0, 1, 2].map((c) =>
    c === 0 ? 0 : area.reduce((sum, a, i) => sum + a * (canonical[i * 3 + c] - turned[i * 3 + c]), 0) / total,
  )
  for (let i = 0; i < turned.length; i++) turned[i] += offset[i % 3]
  const lips = placeLips(mesh, turned)
  sealLips(lips, turned, turned, () => LIP_GAP)

  const all = new Float64Array(mesh.stencils.length * 3)
  all.set(turned)
  mesh.patchEdges.forEach(([a, b], k) => {
    for (let c = 0; c < 3; c++) all[(skin + k) * 3 + c] = (all[a * 3 + c] + all[b * 3 + c]) / 2
  })
  const [x, y] = moveAligned(
    { scale: 1, rotation: upright(rotation), offset: [0, offset[1], offset[2]] },
    ict.leftEye,
  )
  const eyes = placeEyes(mesh, turned, [x, y])
  mesh.lidEdges.forEach((i, k) => {
    const { center } = eyes.find(({ loop }) => loop.includes(i))!
    const away = [0, 1, 2].map((c) => turned[i * 3 + c] - center[c])
    const share = (RADIUS - LID_DEPTH) / Math.hypot(...away)
    for (let c = 0; c < 3; c++) all[(mesh.mouthEnd + k) * 3 + c] = center[c] + share * away[c]
  })
  for (const { side, start, distances } of mesh.eyeballs) {
    const { center } = eyes.find((eye) => eye.side === side)!
    distances.forEach((_, v) => {
      const ring = Math.ceil(v / SECTORS) - 1
      const arc = v === 0 ? 0 : ring === IRIS_RING ? RADIUS * Math.asin(IRIS_RADIUS / RADIUS) : RINGS[ring]
      const angle = (2 * Math.PI * ((v - 1) % SECTORS)) / SECTORS
      const across = RADIUS * Math.sin(arc / RADIUS)
      const place = [
        (side === 'right' ? 1 : -1) * across * Math.cos(angle),
        across * Math.sin(angle),
        RADIUS * Math.cos(arc / RADIUS),
      ]
      for (let c = 0; c < 3; c++) all[(start + v) * 3 + c] = center[c] + place[c]
    })
  }
  return { positions: all, rotation: upright(rotation), eyes, lips, area }
}

/** A rotation about the x axis alone: the mean faces are symmetric, what is more is chance. */
function upright(rotation: Float64Array): Float64Array {
  const angle = Math.atan2(rotation[7] - rotation[5], rotation[4] + rotation[8])
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return Float64Array.of(1, 0, 0, 0, cos, -sin, 0, sin, cos)
}
