import { BaseModelFile } from '../base-model-file.js'
import { applyStencils, readStencils, type Stencils } from '../stencils.js'

/** What the learner needs of the base model's file: mesh, mean, stencils, mirror images. */
export interface LearningTemplate {
  file: BaseModelFile
  /** `[468 * 3]` mm: mean positions of the control vertices. */
  control: Float64Array
  /** `[N * 3]` mm. */
  mean: Float64Array
  stencils: Stencils
  triangles: Int32Array
  /** First vertex after the skin; the inner mouth, lid margins and eyeballs follow. */
  skinEnd: number
  /** `[468]` and `[skinEnd]`: the vertex at -x. */
  controlMirror: Int32Array
  mirror: Int32Array
  /** `[468]` area of the skin around each control vertex, as shares that add up to 1. */
  controlArea: Float64Array
}

export const CONTROL_COUNT = 468

/** Opens the base model's file as a template for learning. */
export function readLearningTemplate(bytes: Uint8Array): LearningTemplate {
  const file = new BaseModelFile(bytes)
  const mean = Float64Array.from(file.floats('mean'))
  const stencils = readStencils(file)
  const triangles = file.indices('triangles')
  const regions = file.lists('regions')
  const innerMouth = regions[file.names('region_names').indexOf('innerMouth')]
  const skinEnd = innerMouth.reduce((least, i) => Math.min(least, i), Infinity)
  const control = mean.slice(0, CONTROL_COUNT * 3)
  return {
    file,
    control,
    mean,
    stencils,
    triangles,
    skinEnd,
    controlMirror: mirrorImages(control),
    mirror: mirrorImages(mean.subarray(0, skinEnd * 3)),
    controlArea: areaOfControl(mean, triangles, stencils, skinEnd),
  }
}

/** Nearest vertex to each one's image at -x. */
function mirrorImages(positions: Float64Array): Int32Array {
  const count = positions.length / 3
  return Int32Array.from({ length: count }, (_, i) => {
    const [x, y, z] = [-positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]]
    let best = i
    let bestDistance = Infinity
    for (let j = 0; j < count; j++) {
      const dy = positions[j * 3 + 1] - y
      if (dy > 1 || dy < -1) continue
      const distance = (positions[j * 3] - x) ** 2 + dy * dy + (positions[j * 3 + 2] - z) ** 2
      if (distance < bestDistance) {
        best = j
        bestDistance = distance
      }
    }
    return best
  })
}

function areaOfControl(
  mean: Float64Array,
  triangles: Int32Array,
  stencils: Stencils,
  skinEnd: number,
): Float64Array {
  const control = new Float64Array(CONTROL_COUNT)
  vertexAreas(mean, triangles).forEach((area, i) => {
    if (i >= skinEnd) return
    for (let s = stencils.starts[i]; s < stencils.starts[i + 1]; s++)
      control[stencils.vertices[s]] += area * stencils.weights[s]
  })
  const total = control.reduce((sum, value) => sum + value, 0)
  return control.map((value) => value / total)
}

/** A third of the area of the triangles around each vertex. */
export function vertexAreas(positions: Float64Array, triangles: ArrayLike<number>): Float64Array {
  const areas = new Float64Array(positions.length / 3)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [a, b, c] = corners.map((i) => positions.subarray(i * 3, i * 3 + 3))
    const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
    const [vx, vy, vz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]]
    const area = Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 6
    for (const i of corners) areas[i] += area
  }
  return areas
}

/** The fine mesh whose surface passes through wanted control positions: Loop's scheme shrinks otherwise. `[N * 3]` */
export function subdivide(template: LearningTemplate, wanted: ArrayLike<number>): Float32Array {
  const { stencils } = template
  const target = Float32Array.from(wanted)
  const smooth = applyStencils(stencils, target, 1, CONTROL_COUNT)
  return applyStencils(
    stencils,
    target.map((value, i) => value + 0.7 * (value - smooth[i])),
    1,
  )
}
