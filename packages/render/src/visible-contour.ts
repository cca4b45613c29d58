import { defineKernel, float32 } from '@facekit/kernels'
import {
  add,
  argMax,
  cast,
  concat,
  cos,
  div,
  expandDims,
  maximum,
  mul,
  neg,
  oneHot,
  reshape,
  sin,
  slice,
  sub,
  sum,
  tensor,
  zeros,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import { gatherVertices, type MorphableModel } from '@facekit/morphable'
import { projectVertices } from './project-vertices.js'
import type { Camera, PictureSize } from './camera.js'

/** Number of landmarks on the jaw, the first of the 68. */
export const JAW_COUNT = 17

/** What the visible outline depends on; of the rotation only the roll. */
interface JawView {
  camera: Camera
  size: PictureSize
  rotation?: Tensor2D | undefined
}

interface Candidates {
  /** `[17 * width]` vertices; rows that are shorter repeat their first. */
  vertices: Int32Array
  width: number
}

const cache = new WeakMap<MorphableModel, Candidates>()

function candidatesOf(model: MorphableModel, rows: readonly Int32Array[]): Candidates {
  let candidates = cache.get(model)
  if (!candidates) {
    const lists = rows.map((row, i) => (row.length > 0 ? row : model.landmarks.subarray(i, i + 1)))
    const width = Math.max(...lists.map((list) => list.length))
    const vertices = new Int32Array(JAW_COUNT * width)
    for (const [i, list] of lists.entries()) {
      for (let k = 0; k < width; k++) vertices[i * width + k] = list[k] ?? list[0]
    }
    candidates = { vertices, width }
    cache.set(model, candidates)
  }
  return candidates
}

/** Positions of the jaw landmarks on the contour that is seen: in each row of the model's `jawContours` the vertex that lies
 * outermost in the picture: sideways of the tilted head at the ears, lowest at the chin, slanting between.
 *
 * (Landmark marching, as in the 3DMM literature: annotators mark the visible outline, not a point of the skin.)
 *
 * @param vertices - `[B, N, 3]` mm, world space
 * @param view - camera, size, and the pose's rotation `[B, 3]`, of which only the roll counts
 * @returns `[B, 17, 3]` mm, world space
 * @differentiable vertices, through the positions; the choice carries no gradient
 * @memory inside a tidy
 */
export function visibleJaw(
  vertices: Tensor3D,
  model: MorphableModel,
  rows: readonly Int32Array[],
  view: JawView,
): Tensor3D {
  const { vertices: indices, width } = candidatesOf(model, rows)
  const batch = vertices.shape[0]
  const points = gatherVertices(vertices, indices) // [B, 17 * width, 3]
  const weights = outermostKernel({ points, rotation: view.rotation }, { ...view, width }) // [B, 17, width, 1]
  return sum(mul(reshape(points, [batch, JAW_COUNT, width, 3]), weights), 2)
}

/** The choice, of which no gradient is wanted and nothing is recorded. */
const outermostKernel = defineKernel({
  name: 'FacekitOutermost',
  inputs: { points: 'float32', rotation: 'float32?' },
  outputs: ({ points: [batch] }, { width }: JawView & { width: number }) => ({
    weights: float32([batch, JAW_COUNT, width, 1]),
  }),
  constants: ['points', 'rotation', 'weights'],
  operations: ({ points, rotation }, { width, camera, size }) =>
    outermost(points as Tensor3D, width, { camera, size, rotation: rotation as Tensor2D | undefined }),
  recordsOperations: false,
})

/** 1 at the candidate of each row that is outermost, else 0: `[B, 17, width, 1]`. */
function outermost(points: Tensor3D, width: number, { camera, size, rotation }: JawView): Tensor {
  const batch = points.shape[0]
  const clip = projectVertices(points, camera, size)
  const column = (index: number) => slice(clip, [0, 0, index], [-1, -1, 1])
  const w = maximum(column(3), 1e-3)
  const x = mul(div(column(0), w), size.width / size.height)
  const y = div(column(1), w)
  const roll = rotation ? expandDims(slice(rotation, [0, 2], [-1, 1]), 1) : zeros([batch, 1, 1])
  const right = add(mul(x, cos(roll)), mul(y, sin(roll)))
  const up = sub(mul(y, cos(roll)), mul(x, sin(roll)))
  const outward = tensor(outwardDirections(width), [1, JAW_COUNT * width, 2])
  const score = sum(mul(concat([right, neg(up)], 2), outward), 2)
  const best = argMax(reshape(score, [batch, JAW_COUNT, width]), 2)
  // The stock WASM kernel makes int32 whatever type is asked for.
  return reshape(cast(oneHot(best, width), 'float32'), [batch, JAW_COUNT, width, 1])
}

/** Where outwards is for a jaw landmark of an upright head: from sideways at the ears, evenly turning to downwards at the chin.
 *
 * @param landmark - 0 (the subject's right ear, left in the picture) to 16
 * @returns shares of the way to the right and of the way down, unit length
 */
export function jawOutwardDirection(landmark: number): [right: number, down: number] {
  const angle = (landmark / (JAW_COUNT - 1)) * Math.PI
  return [-Math.cos(angle), Math.sin(angle)]
}

/** For each candidate: how much its distance to the right, and its distance downwards, count. */
function outwardDirections(width: number): Float32Array {
  const directions = new Float32Array(JAW_COUNT * width * 2)
  for (let i = 0; i < JAW_COUNT * width; i++)
    directions.set(jawOutwardDirection(Math.floor(i / width)), i * 2)
  return directions
}
