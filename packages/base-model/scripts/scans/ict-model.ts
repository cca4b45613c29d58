import { readFileSync } from 'node:fs'
import { readSafetensors } from '@facekit/core'

/** A part of ICT-FaceKit (Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR 2020; MIT), in mm. */
export interface IctModel {
  /** `[N * 3]` */
  mean: Float64Array
  /** `[F * 3]` */
  triangles: Int32Array
  /** `[68]` vertices. */
  landmarks: number[]
  /** Middle of the left eyeball; the right one is its mirror image. */
  leftEye: [number, number, number]
  /** `[K][N * 3]`, one standard deviation each. */
  identity: Float32Array[]
  /** By ICT's names, e.g. `eyeBlink_L`; full activation. */
  expressions: Map<string, Float32Array>
}

/** How many of ICT's vertices and triangles a part has: the face comes first, then the rest of the head and the neck, then sockets, gums, tongue and teeth. */
export const ictParts = { face: [9409, 18_460], head: [11_248, 22_288], mouth: [21_451, 42_572] } as const
/** Sclera and iris of the left eyeball, a nearly whole sphere: its first vertex, and the first after it. */
const LEFT_EYE = [21_451, 23_021] as const
const MILLIMETRES = 10

export function readIctModel(
  path: string | URL = new URL(
    '../../../../../shared/data/ict-facekit/ict-facekit.safetensors',
    import.meta.url,
  ),
  part: keyof typeof ictParts = 'face',
): IctModel {
  const [vertices, triangles] = ictParts[part]
  const { tensors, metadata } = readSafetensors(readFileSync(path), 'readIctModel')
  const array = (name: string) => tensors.get(name)!
  const fields = (name: string) => {
    const { data, shape } = array(name)
    return Array.from({ length: shape[0] }, (_, k) =>
      Float32Array.from(
        data.slice(k * shape[1] * 3, k * shape[1] * 3 + vertices * 3) as Float32Array,
        (value) => value * MILLIMETRES,
      ),
    )
  }
  const names = JSON.parse(metadata.expression_names) as string[]
  const expressions = fields('expression_basis')
  const mean = array('mean').data as Float32Array
  const leftEye = [0, 1, 2].map((c) => {
    const values = Array.from(
      { length: LEFT_EYE[1] - LEFT_EYE[0] },
      (_, i) => mean[(LEFT_EYE[0] + i) * 3 + c],
    )
    return ((Math.min(...values) + Math.max(...values)) / 2) * MILLIMETRES
  }) as [number, number, number]
  return {
    leftEye,
    mean: Float64Array.from(mean.slice(0, vertices * 3), (v) => v * MILLIMETRES),
    triangles: Int32Array.from(array('triangles').data.slice(0, triangles * 3) as Int32Array),
    landmarks: Array.from(array('landmarks68').data as Int32Array),
    identity: fields('identity_basis'),
    expressions: new Map(names.map((name, e) => [name, expressions[e]])),
  }
}
