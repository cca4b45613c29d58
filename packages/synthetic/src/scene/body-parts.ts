import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { outwards } from './head-part.js'
import { gridTriangles, mix, smoothstep, type Host, type MeshPart } from './mesh-part.js'

/** Rings of the neck and the shoulders: height, depth of the middle, half width, half depth. */
const RINGS: readonly (readonly [y: number, z: number, width: number, depth: number])[] = [
  [-40, -52, 56, 52],
  [-62, -52, 57, 54],
  [-84, -51, 57, 55],
  [-104, -52, 57, 55],
  [-122, -54, 58, 56],
  [-140, -57, 60, 57],
  [-154, -60, 66, 60],
  [-164, -62, 82, 64],
  [-174, -62, 108, 68],
  [-186, -62, 140, 76],
  [-204, -62, 172, 88],
  [-232, -62, 196, 98],
  [-280, -62, 208, 106],
  [-360, -62, 214, 110],
]
const COLUMNS = 41

/** Neck and shoulders, which stay with the body when the head turns. What of it is cloth is decided pixel by pixel. */
export function neckPart(model: MorphableModel): MeshPart {
  const chin = model.landmarks[8]
  const jaw = [model.landmarks[4], model.landmarks[12]]
  const positions: number[] = []
  const uv: number[] = []
  const openness: number[] = []
  const body: number[] = []
  const hosts: Host[] = []
  for (const [y, z, width, depth] of RINGS) {
    for (let i = 0; i < COLUMNS; i++) {
      // The seam is at the back.
      const angle = (i / (COLUMNS - 1)) * 2 * Math.PI
      positions.push(-Math.sin(angle) * width, y, z - Math.cos(angle) * depth)
      uv.push(i / (COLUMNS - 1), -y / 300)
      const below = smoothstep(-150, -80, y)
      openness.push(mix(1, 0.5, below))
      body.push(smoothstep(-70, -150, y))
      hosts.push({ vertices: [chin, ...jaw], weights: [0.4, 0.3, 0.3], identity: 0.5, expression: 0 })
    }
  }
  return {
    name: 'neck',
    layer: 'head',
    material: 'skin',
    positions: Float32Array.from(positions),
    triangles: outwards(positions, gridTriangles(RINGS.length, COLUMNS), [0, -180, -60]),
    label: labelOf('neck'),
    hosts,
    uv: Float32Array.from(uv),
    openness: Float32Array.from(openness),
    body: Float32Array.from(body),
  }
}

const EAR_RINGS = 7
const EAR_COLUMNS = 25
/** How high the ear's surface stands over its plane, from the middle to the edge, mm: the bowl, the inner fold, the groove, the rim. */
const PROFILE = [-6, -4, 1, 4, 2, 5, 1]

/** An ear: a disc with folds, behind the upper end of the jaw.
 *
 * @param side - 1 the subject's left (+x), -1 the right
 */
export function earPart(model: MorphableModel, side: 1 | -1): MeshPart {
  const mean = model.shape.mean.data
  const jaw = model.landmarks[side > 0 ? 16 : 0]
  const below = model.landmarks[side > 0 ? 14 : 2]
  const [x, y, z] = [0, 1, 2].map((c) => mean[jaw * 3 + c])
  const half = { height: 32, width: 17 }
  // Outwards, and the plane's normal to the front and outwards.
  const back = [0.5 * side, 0, -0.87]
  const normal = [0.87 * side, 0, 0.5]
  const center = [x - 2 * side + back[0] * half.width, y - 10, z - 8 + back[2] * half.width * 0.9]
  const positions: number[] = []
  const uv: number[] = []
  const openness: number[] = []
  const hosts: Host[] = []
  for (let ring = 0; ring < EAR_RINGS; ring++) {
    const s = ring / (EAR_RINGS - 1)
    for (let i = 0; i < EAR_COLUMNS; i++) {
      const angle = (i / (EAR_COLUMNS - 1)) * 2 * Math.PI
      // Wider above than at the lobe, and flat where it grows out of the head.
      const up = Math.cos(angle)
      const out = Math.sin(angle)
      const width = half.width * (up > 0 ? 1 : 1 + 0.3 * up) * (out < 0 ? 0.75 : 1)
      const lobe = up < -0.5 ? 0.4 : 1
      const lift = PROFILE[ring] * lobe * (out < -0.3 ? 0.4 : 1)
      const [a, b] = [out * s * width, up * s * half.height + out * s * 3]
      for (let c = 0; c < 3; c++) {
        positions.push(center[c] + back[c] * a + (c === 1 ? b : 0) + normal[c] * lift)
      }
      uv.push(s, i / (EAR_COLUMNS - 1))
      openness.push(mix(0.55, 1, smoothstep(0, 0.75, s)))
      hosts.push({ vertices: [jaw, below], weights: [0.7, 0.3], identity: 1, expression: 0 })
    }
  }
  const triangles = gridTriangles(EAR_RINGS, EAR_COLUMNS)
  return {
    name: side > 0 ? 'earLeft' : 'earRight',
    layer: 'head',
    material: 'skin',
    positions: Float32Array.from(positions),
    triangles: outwards(positions, triangles, [0, center[1], -200]),
    label: labelOf(side > 0 ? 'l_ear' : 'r_ear'),
    hosts,
    uv: Float32Array.from(uv),
    openness: Float32Array.from(openness),
  }
}

/** Teeth and tongue, seen through the opening of the mouth only. */
export function mouthParts(model: MorphableModel): MeshPart[] {
  const mean = model.shape.mean.data
  const at = (landmark: number, c: number) => mean[model.landmarks[landmark] * 3 + c]
  const [y, z] = [(at(62, 1) + at(66, 1)) / 2, (at(62, 2) + at(66, 2)) / 2]
  const half = (at(64, 0) - at(60, 0)) / 2
  const arch = (name: string, top: number, bottom: number, front: number, host: Host): MeshPart => {
    const [rows, columns] = [4, 25]
    const positions: number[] = []
    const uv: number[] = []
    const openness: number[] = []
    for (let r = 0; r < rows; r++) {
      const v = r / (rows - 1)
      for (let c = 0; c < columns; c++) {
        const u = (2 * c) / (columns - 1) - 1
        const angle = u * 1.45
        positions.push(
          half * 1.05 * Math.sin(angle),
          y + mix(top, bottom, v),
          z - front - 30 * (1 - Math.cos(angle)) - (name === 'teethUpper' ? 1.5 * (1 - v) : 0),
        )
        uv.push(0.5 + u / 2, v)
        openness.push(mix(0.85, 0.3, Math.abs(u)))
      }
    }
    return {
      name,
      layer: 'mouth',
      material: 'teeth',
      positions: Float32Array.from(positions),
      triangles: Int32Array.from(gridTriangles(rows, columns)),
      label: labelOf('mouth'),
      hosts: Array.from({ length: rows * columns }, () => host),
      uv: Float32Array.from(uv),
      openness: Float32Array.from(openness),
    }
  }
  const upper: Host = { vertices: [model.landmarks[33]], weights: [1], identity: 1, expression: 0 }
  const lower: Host = { vertices: [model.landmarks[8]], weights: [1], identity: 1, expression: 0.95 }
  return [
    arch('teethUpper', 7, -2.2, 7, upper),
    arch('teethLower', -3, -11, 10, lower),
    tonguePart(y, z, half, lower),
  ]
}

function tonguePart(y: number, z: number, half: number, host: Host): MeshPart {
  const [rows, columns] = [8, 13]
  const positions: number[] = []
  const uv: number[] = []
  const openness: number[] = []
  for (let r = 0; r < rows; r++) {
    const v = r / (rows - 1)
    for (let c = 0; c < columns; c++) {
      const u = (2 * c) / (columns - 1) - 1
      const width = half * 0.75 * Math.sqrt(Math.max(0.05, 1 - (1 - v) ** 4 * 0.9))
      positions.push(u * width, y - 7 + 2 * (1 - v) - 5 * u * u - 6 * v * v, z - 45 + 33 * v)
      uv.push(0.5 + u / 2, v)
      openness.push(mix(0.2, 0.6, v))
    }
  }
  return {
    name: 'tongue',
    layer: 'mouth',
    material: 'tongue',
    positions: Float32Array.from(positions),
    triangles: Int32Array.from(gridTriangles(rows, columns)),
    label: labelOf('mouth'),
    hosts: Array.from({ length: rows * columns }, () => host),
    uv: Float32Array.from(uv),
    openness: Float32Array.from(openness),
  }
}
