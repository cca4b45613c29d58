import { BackendError } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import { vertexRings } from '@facekit/mesh'
import type { Pose } from '@facekit/parameters'
import type { MorphableModel } from '@facekit/morphable'
import { tensor, tidy, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core'
import { cameraMatrix, type Camera, type PictureSize } from './camera.js'
import { landmarkTables, type LandmarkTables } from './webgpu/landmarks.js'
import { placeFaceGradientOnGpu, placeFaceOnGpu } from './webgpu/place-face.js'
import { assertContour, type Contour } from './project-landmarks.js'
import { JAW_COUNT } from './visible-contour.js'

/** What a placement depends on beside tensors. */
export interface Placement extends PictureSize {
  /** Of `vertexRings`. */
  rings: Int32Array
  tables: LandmarkTables
  /** Landmarks that are chosen among several vertices. */
  jaw: number
  /** The camera's matrix, column by column. */
  matrix: readonly number[]
}

const INPUTS = ['shape', 'rotation', 'translation', 'scale']
const OUTPUTS = ['vertices', 'clip', 'normals', 'landmarks']

const onlyOnGpu = (): never => {
  throw new BackendError('renderFace: this kernel is for the webgpu backend only')
}

const gradientKernel: HostKernel<Placement> = {
  name: 'FacekitPlaceFaceGradient',
  inputs: [
    ...INPUTS,
    'vertices',
    'clip',
    'normals',
    'lengths',
    'chosen',
    'poses',
    ...OUTPUTS.map((name) => `${name}Gradient`),
  ],
  outputs: onlyOnGpu,
  compute: onlyOnGpu,
  webgpu: placeFaceGradientOnGpu,
}

const kernel: HostKernel<Placement> = {
  name: 'FacekitPlaceFace',
  inputs: INPUTS,
  outputs: onlyOnGpu,
  compute: onlyOnGpu,
  webgpu: placeFaceOnGpu,
  missingUpstream: 'undefined',
  gradient: {
    inputsToSave: INPUTS,
    outputsToSave: [true, true, true, false, true, true, true],
    gradFunc: (upstream, saved, attributes) => {
      const [shape, rotation, translation, scale, vertices, clip, normals, lengths, chosen, poses] = saved
      const gradients = tidy(() => {
        const nothing = tensor([], [0])
        const given = OUTPUTS.map((name, i) => [`${name}Gradient`, (upstream as Tensor[])[i] ?? nothing])
        const inputs = {
          shape,
          rotation,
          translation,
          scale,
          vertices,
          clip,
          normals,
          lengths,
          chosen,
          poses,
        }
        const all = { ...inputs, ...Object.fromEntries(given) }
        return runHostKernel(gradientKernel, all, attributes as unknown as Placement)
      })
      return Object.fromEntries(INPUTS.map((name, i) => [name, () => gradients[i]]))
    },
  },
}

interface Tables {
  rings: Int32Array
  landmarks: Map<Contour, LandmarkTables>
}

const known = new WeakMap<MorphableModel, Tables>()

function tablesOf(model: MorphableModel, contour: Contour): [Int32Array, LandmarkTables] {
  let tables = known.get(model)
  if (tables === undefined) {
    const rings = vertexRings(model.triangles, model.vertexCount)
    known.set(model, (tables = { rings, landmarks: new Map<Contour, LandmarkTables>() }))
  }
  let landmarks = tables.landmarks.get(contour)
  if (landmarks === undefined) {
    const jaw = contour === 'visible' ? model.jawContours : undefined
    const rows = Array.from(model.landmarks, (vertex, i) => (jaw?.[i]?.length ? jaw[i] : [vertex]))
    tables.landmarks.set(contour, (landmarks = landmarkTables(rows)))
  }
  return [tables.rings, landmarks]
}

/** Puts a face where its pose says, before a camera, in a handful of GPU programs: `transformVertices`, `projectVertices`,
 * `vertexNormals` and `projectLandmarks` in one operation with one gradient. WebGPU only.
 *
 * @param shape - `[B, N, 3]` mm, model space
 * @returns vertices and normals `[B, N, 3]`, clip space `[B, N, 4]`, landmarks `[B, L, 2]` pixels
 * @differentiable shape, pose
 */
export function placeFace(
  model: MorphableModel,
  shape: Tensor3D,
  pose: Pose,
  view: PictureSize & { camera: Camera; contour: Contour },
): { vertices: Tensor3D; clip: Tensor3D; normals: Tensor3D; landmarks: Tensor3D } {
  const { width, height, camera, contour } = view
  assertContour('renderFace', contour)
  const [rings, tables] = tablesOf(model, contour)
  const jaw = contour === 'visible' && model.jawContours ? JAW_COUNT : 0
  const matrix = Array.from(cameraMatrix(camera, { width, height }))
  const { rotation, translation, scale } = pose
  const [vertices, clip, normals, landmarks] = runHostKernel(
    kernel,
    { shape, rotation, translation, scale },
    { rings, tables, jaw, matrix, width, height },
  ) as Tensor3D[]
  return { vertices, clip, normals, landmarks }
}
