import { vertexRings } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import { cameraMatrix, type Camera, type PictureSize } from '../camera.js'
import type { Contour } from '../project-landmarks.js'
import { JAW_COUNT } from '../visible-contour.js'
import { landmarkTables, type LandmarkTables } from './landmarks.js'

/** Whose face is placed, and who looks at it. */
export interface View extends PictureSize {
  readonly model: MorphableModel
  readonly camera: Camera
  readonly contour: Contour
}

/** What the programs that place a face are told. */
export interface Placement {
  /** Of `vertexRings`. */
  rings: Int32Array
  tables: LandmarkTables
  /** Landmarks that are chosen among several vertices. */
  jaw: number
  /** The camera's matrix, column by column. */
  matrix: readonly number[]
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

/** Tables of the model, made once, and the camera's matrix. */
export function placementOf({ model, camera, contour, width, height }: View): Placement {
  const [rings, tables] = tablesOf(model, contour)
  const jaw = contour === 'visible' && model.jawContours ? JAW_COUNT : 0
  return { rings, tables, jaw, matrix: Array.from(cameraMatrix(camera, { width, height })) }
}
