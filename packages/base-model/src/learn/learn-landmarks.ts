import { jawContours } from './jaw-contours.js'
import type { AlignedFace } from './align-faces.js'
import type { LearningTemplate } from './learning-template.js'
import type { ObservedPerson } from './observe-people.js'
import { applyStencils } from '../stencils.js'

/** Where people who label photographs see the 68 landmarks on the mesh. */
export interface LearnedLandmarks {
  /** `[68]` vertices. */
  landmarks: Int32Array
  /** For each of the 17 jaw landmarks, vertices from the rim inwards. */
  jawContours: number[][]
  /** Mean distance to the template's landmarks, seen from the front, mm. */
  moved: number
}

/** Fewer frontal photographs than this move no landmark. */
const LEAST_FACES = 30
const LARGEST_YAW = 0.25
const LARGEST_PITCH = 0.3
const JAW_END = 17
const EYES = [36, 48] as const
const INNER_LIPS = 60
/** Price of a vertex that faces sideways, mm^2: labels lie on the skin that is seen. */
const SIDEWAYS = 9

/** The landmark on the other side of the face. */
function mirrorLandmark(l: number): number {
  if (l < 17) return 16 - l
  if (l < 27) return 43 - l
  if (l < 31) return l
  if (l < 36) return 66 - l
  if (l < 40) return 81 - l
  if (l < 42) return 87 - l
  if (l < 46) return 81 - l
  if (l < 48) return 87 - l
  if (l < 55) return 102 - l
  if (l < 60) return 114 - l
  if (l < 65) return 124 - l
  return 132 - l
}

/** Finds the vertex of each landmark: the dense points say where the mesh lies in a photograph, its labels where the landmarks
 * are; the median of their differences over all frontal photographs, made symmetric, moves each landmark over the mesh. Labels
 * and meshes are aligned photograph by photograph (similarity of the 51 inner landmarks), so a constant offset of the labels
 * does not count. Lids keep their landmarks, since expressions close them; the inner lips' stay on the rim of the mouth, the
 * jaw's on that of the face. */
export function learnLandmarks(
  people: readonly ObservedPerson[],
  faces: readonly AlignedFace[],
  template: LearningTemplate,
): LearnedLandmarks | undefined {
  const { mean, mirror, skinEnd } = template
  const given = template.file.indices('landmarks')
  const frontal = faces.filter(
    ({ yaw, pitch }) => Math.abs(yaw) < LARGEST_YAW && Math.abs(pitch) < LARGEST_PITCH,
  )
  if (frontal.length < LEAST_FACES) return undefined
  const offsets = frontal.map((face) => labelOffsets(face, people[face.person].faces[face.index], given))
  const middle = Array.from({ length: 136 }, (_, i) => {
    const sorted = Float64Array.from(offsets, (offset) => offset[i]).sort()
    return sorted[sorted.length >> 1]
  })
  const allowed = candidates(template)
  const landmarks = given.slice()
  let moved = 0
  for (let l = 0; l < 68; l++) {
    const twin = mirrorLandmark(l)
    if (l >= EYES[0] && l < EYES[1]) continue
    // The vertex for the subject's right; that of the left is its mirror image.
    if (mean[given[l] * 3] > mean[given[twin] * 3] + 1e-6) continue
    const x = mean[given[l] * 3] + (twin === l ? 0 : (middle[l * 2] - middle[twin * 2]) / 2)
    const y = mean[given[l] * 3 + 1] + (middle[l * 2 + 1] + middle[twin * 2 + 1]) / 2
    let best = given[l]
    let least = Infinity
    for (const { vertex, price } of allowed(l)) {
      const distance = (mean[vertex * 3] - x) ** 2 + (mean[vertex * 3 + 1] - y) ** 2 + price
      // Landmarks of the middle stay there.
      if (distance < least && (twin !== l || mirror[vertex] === vertex)) [best, least] = [vertex, distance]
    }
    landmarks[l] = best
    landmarks[twin] = twin === l ? best : mirror[best]
  }
  for (let l = 0; l < 68; l++) {
    moved += Math.hypot(...[0, 1].map((c) => mean[landmarks[l] * 3 + c] - mean[given[l] * 3 + c])) / 68
  }
  const mesh = { mean, uv: template.file.floats('uv'), skinEnd }
  return { landmarks, jawContours: jawContours(mesh, [...landmarks.subarray(0, JAW_END)]), moved }
}

/** `[136]` mm, in the model's x and y: labels less the mesh's landmarks. */
function labelOffsets(
  { rotation, scale }: AlignedFace,
  { points, labels }: ObservedPerson['faces'][number],
  landmarks: Int32Array,
): Float64Array {
  // Both with y up.
  const seen = Float64Array.from({ length: 136 }, (_, i) => (i & 1 ? -labels[i] : labels[i]))
  const mesh = Float64Array.from({ length: 136 }, (_, i) => {
    const value = points[landmarks[i >> 1] * 3 + (i & 1)]
    return i & 1 ? -value : value
  })
  const inner = Array.from({ length: 68 - JAW_END }, (_, k) => k + JAW_END)
  const center = (list: Float64Array) =>
    [0, 1].map((c) => inner.reduce((sum, l) => sum + list[l * 2 + c], 0) / inner.length)
  const [a, b] = [center(seen), center(mesh)]
  let [real, imaginary, power] = [0, 0, 0]
  for (const l of inner) {
    const [x, y] = [seen[l * 2] - a[0], seen[l * 2 + 1] - a[1]]
    const [u, v] = [mesh[l * 2] - b[0], mesh[l * 2 + 1] - b[1]]
    real += x * u + y * v
    imaginary += x * v - y * u
    power += x * x + y * y
  }
  const [re, im] = [real / power, imaginary / power]
  const angle = Math.atan2(rotation[3], rotation[0])
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)]
  const offset = new Float64Array(136)
  for (let l = 0; l < 68; l++) {
    const [x, y] = [seen[l * 2] - a[0], seen[l * 2 + 1] - a[1]]
    const dx = re * x - im * y + b[0] - mesh[l * 2]
    const dy = re * y + im * x + b[1] - mesh[l * 2 + 1]
    offset[l * 2] = cos * dx - sin * dy
    offset[l * 2 + 1] = sin * dx + cos * dy
  }
  return offset
}

/** Vertices that each landmark may take. */
function candidates(template: LearningTemplate): (landmark: number) => { vertex: number; price: number }[] {
  const { mean, triangles, skinEnd, file, stencils } = template
  const edges = new Map<number, number>()
  const normals = new Float64Array(skinEnd)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    if (corners.some((i) => i >= skinEnd)) continue
    const [a, b, c] = corners.map((i) => mean.subarray(i * 3, i * 3 + 3))
    const z = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    corners.forEach((i, k) => {
      normals[i] += z
      const j = corners[(k + 1) % 3]
      const key = Math.min(i, j) * skinEnd + Math.max(i, j)
      edges.set(key, (edges.get(key) ?? 0) + 1)
    })
  }
  const border = new Set<number>()
  for (const [key, count] of edges) {
    if (count === 1) for (const i of [Math.floor(key / skinEnd), key % skinEnd]) border.add(i)
  }
  const far = (i: number) => Math.hypot(mean[i * 3], mean[i * 3 + 1]) > 55
  const rim = [...border].filter(far)
  const mouth = new Set(file.indices('inner_mouth_triangles'))
  const lips = [...border].filter((i) => mouth.has(i))
  // The lower lip is what goes down with the jaw.
  const jawOpen = file.names('expression_names').indexOf('jawOpen')
  const expression = file.fields('expression')
  const size = expression.values.length / expression.count
  const opened = applyStencils(stencils, expression.values.subarray(jawOpen * size, (jawOpen + 1) * size), 1)
  const halfway = lips.reduce((sum, i) => sum + opened[i * 3 + 1] / lips.length, 0)
  const free = (list: readonly number[]) => list.map((vertex) => ({ vertex, price: 0 }))
  const parts = {
    rim: free(rim),
    lips: free(lips),
    upper: free(lips.filter((i) => opened[i * 3 + 1] > halfway)),
    lower: free(lips.filter((i) => opened[i * 3 + 1] <= halfway)),
    skin: Array.from({ length: skinEnd }, (_, vertex) => ({
      vertex,
      price: normals[vertex] > 0 ? 0 : SIDEWAYS,
    })),
  }
  return (landmark) => {
    if (landmark < JAW_END) return parts.rim
    if (landmark < INNER_LIPS) return parts.skin
    if (landmark % 4 === 0) return parts.lips
    return landmark < 64 ? parts.upper : parts.lower
  }
}
