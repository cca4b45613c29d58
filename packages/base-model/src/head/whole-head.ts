import {
  meshNormals,
  shadingFactor,
  type FaceMesh,
  type FaceSkin,
  type FaceTextures,
  type MorphTarget,
} from '@facekit/export'
import type { MorphableModel } from '@facekit/morphable'
import { loadHeadModel } from '../load-head-model.js'
import { completeHead, type HeadCompletion } from './complete-head.js'
import { HEAD_DISC, paintHead, sampleMap } from './head-maps.js'
import { motionAmounts } from './motion-amounts.js'
import { mouthColors, paintMouth } from './mouth-colors.js'

/** A mesh in which everything is filled in that facekit knows of a face, in plain arrays. */
export type PlainFaceMesh = FaceMesh &
  Required<Pick<FaceMesh, 'innerMouthTriangles'>> &
  Record<'vertices' | 'diffuse' | 'specular', Float32Array> & { uncertainty?: Float32Array }

/** A face that can be driven: at rest, with blend shapes, the weights at which they show an expression, and joints. */
export interface FaceRig {
  neutral: PlainFaceMesh
  targets: readonly MorphTarget[]
  /** `[T]` */
  weights: Float32Array
  skin: FaceSkin
}

/** Movements of the face's border below this do not move the rest, mm. */
const STILL = 0.05
/** Blend shapes of the rest end where they move by the first of these, mm, and are whole from the second on: without their tails a GLB is a twentieth smaller. */
const [TAIL, WHOLE] = [0.1, 0.3]

/** A face's meshes, maps and rig with the rest of the head, ears, neck, the back, and teeth, gums and tongue: vertices of the face first, then copies of its rim with
 * places of their own on the maps, then the rest, then the mouth. The sheet between the lips of a face alone gives way to the mouth.
 *
 * @differentiable no
 * @example
 * const head = await WholeHead.of(model, neutral)
 * await writeGlb(head.mesh(neutral), 'head.glb', { textures: head.textures(textures) })
 */
export class WholeHead {
  readonly #model: MorphableModel
  readonly #neutral: PlainFaceMesh
  readonly #completion: HeadCompletion
  /** Number of the face's vertices. */
  readonly #count: number
  #welded: Int32Array | undefined

  private constructor(model: MorphableModel, neutral: PlainFaceMesh, completion: HeadCompletion) {
    this.#model = model
    this.#neutral = neutral
    this.#completion = completion
    this.#count = neutral.vertices.length / 3
  }

  /** @param neutral - the face at rest
   * @throws {ValueError} when the model isn't a base model */
  static async of(model: MorphableModel, neutral: PlainFaceMesh): Promise<WholeHead> {
    return new WholeHead(model, neutral, completeHead(await loadHeadModel(), model, neutral.vertices))
  }

  /** The head of the face with any expression. */
  mesh(face: PlainFaceMesh): PlainFaceMesh {
    const { rim, vertices: rest, triangles, uv, mouth } = this.#completion
    const count = this.#count
    const offsets = face.vertices.map((value, i) => value - this.#neutral.vertices[i])
    const moved = this.#follow(offsets)
    const inside = mouth.follow(offsets, motionAmounts(this.#model, offsets, mouth.model.motionNames))
    const vertices = this.#extended(
      face.vertices,
      rest.map((value, i) => value + moved[i]),
      mouth.vertices.map((value, i) => value + inside[i]),
    )
    const own = triangles.map((v) => v + count)
    const behind = count + rim.length + rest.length / 3
    const teeth = mouth.model.triangles.map((v) => v + behind)
    const normals = this.normals(vertices)
    const { uncertainty: _, innerMouthUv: __, uv: faceUv, ...others } = face
    const inMouth = mouthColors(mouth.model)
    const color = (name: 'diffuse' | 'specular') => {
      const values = face[name]
      const spread = this.#completion.spread(this.#atRim(values), this.#skinMean(values))
      return this.#extended(values, spread, inMouth[name])
    }
    const disc = uv.map((value, i) => HEAD_DISC.corner[i % 2] + HEAD_DISC.width * value)
    return {
      ...others,
      vertices,
      normals,
      triangles: Int32Array.from([...face.triangles, ...own, ...teeth]),
      innerMouthTriangles: new Int32Array(0),
      ...(faceUv && { uv: Float32Array.from([...Array.from(flat(faceUv)), ...disc, ...inMouth.uv]) }),
      diffuse: color('diffuse'),
      specular: color('specular'),
    }
  }

  /** How the head moves with the face.
   *
   * @param offsets - `[N * 3]` of the face's vertices; the result is linear in them
   * @returns `[M * 3]` of the head's
   */
  offsets(offsets: ArrayLike<number>): Float32Array {
    const { mouth } = this.#completion
    const own = Float32Array.from(offsets)
    const inside = mouth.follow(own, motionAmounts(this.#model, own, mouth.model.motionNames))
    return this.#extended(own, this.#follow(own), inside)
  }

  /** @param vertices - `[M * 3]` of the head: those of `mesh`, moved by `offsets`
   * @returns `[M * 3]` unit normals, as of one surface: copies of the rim have the rim's
   */
  normals(vertices: Float32Array): Float32Array {
    const { rim, vertices: rest, triangles, mouth } = this.#completion
    const count = this.#count
    const behind = count + rim.length + rest.length / 3
    this.#welded ??= Int32Array.from([
      ...this.#neutral.triangles,
      ...triangles.map((v) => (v < rim.length ? rim[v] : v + count)),
      ...mouth.model.triangles.map((v) => v + behind),
    ])
    const normals = meshNormals(vertices, this.#welded)
    for (const [i, v] of rim.entries()) normals.copyWithin(3 * (count + i), 3 * v, 3 * v + 3)
    return normals
  }

  /** The maps with the rest's colours in a corner that the face leaves free. */
  textures(maps: FaceTextures): FaceTextures {
    const { rim, triangles, uv, spread } = this.#completion
    const places = flat(this.#model.uv!)
    const at = (vertices: ArrayLike<number>) =>
      Array.from(vertices).flatMap((v) => [places[2 * v], places[2 * v + 1]])
    const colors = (map: FaceTextures['diffuse'], decode?: (byte: number) => number) => {
      const far = mean(sampleMap(map, at(this.#skin()), decode))
      const near = sampleMap(map, at(rim), decode)
      return Float32Array.from([...near, ...spread(near, far)])
    }
    const { mouth: _, ...others } = paintHead(maps, {
      uv,
      triangles,
      diffuse: colors(maps.diffuse),
      specular: colors(maps.specular).map((value) => value * maps.specularScale),
      shading: maps.shading && colors(maps.shading, shadingFactor),
    })
    return paintMouth(others)
  }

  /** Blend shapes and joints of the head. */
  rig({ neutral, targets, weights, skin }: FaceRig): FaceRig {
    return {
      neutral: this.mesh(neutral),
      targets: targets.map(({ name, offsets }): MorphTarget => {
        const { mouth } = this.#completion
        const amounts = mouth.model.motionNames.map((motion) => (motion === name ? 1 : 0))
        return {
          name,
          offsets: this.#extended(
            Float32Array.from(offsets),
            withoutTails(this.#follow(offsets)),
            mouth.follow(offsets, amounts),
          ),
        }
      }),
      weights,
      skin: this.#skinOf(skin),
    }
  }

  /** The rest follows the jaw as far as the rim does, and less and less beyond. */
  #skinOf({ joints, indices, weights }: FaceSkin): FaceSkin {
    const { rim, vertices, spread, mouth } = this.#completion
    const behind = this.#count + rim.length + vertices.length / 3
    const total = behind + mouth.model.jaw.length
    const result = { joints, indices: new Uint8Array(4 * total), weights: new Float32Array(4 * total) }
    result.indices.set(indices)
    result.weights.set(weights)
    const jaw = joints.findIndex(({ name }) => name === 'jaw')
    const share = (v: number) => (jaw < 0 ? 0 : weights[4 * v + 1])
    const along = Float32Array.from([...rim].flatMap((v) => [share(v), 0, 0]))
    const set = (v: number, value: number) => {
      const clamped = Math.min(Math.max(value, 0), 1)
      result.weights.set([1 - clamped, clamped, 0, 0], 4 * v)
      if (clamped > 0) result.indices[4 * v + 1] = jaw
    }
    for (const [i, value] of [...along, ...spread(along, [0, 0, 0])].entries())
      if (i % 3 === 0) set(this.#count + i / 3, value)
    const { jaw: jaws, nearest, shares, lips } = mouth.model
    for (const [v, value] of jaws.entries()) {
      // What is next to the lips goes with them.
      const held = v < nearest.length ? shares[v] : 0
      set(behind + v, jaw < 0 ? 0 : value + held * (held > 0 ? share(lips[nearest[v]]) - value : 0))
    }
    return result
  }

  #follow(offsets: ArrayLike<number>): Float32Array {
    const { rim, follow, vertices } = this.#completion
    const moves = Array.from(rim).some((v) => [0, 1, 2].some((c) => Math.abs(offsets[3 * v + c]) > STILL))
    return moves ? follow(offsets) : new Float32Array(vertices.length)
  }

  #atRim(values: ArrayLike<number>): Float32Array {
    const { rim } = this.#completion
    return Float32Array.from(
      { length: 3 * rim.length },
      (_, i) => values[3 * rim[Math.floor(i / 3)] + (i % 3)],
    )
  }

  #extended(face: Float32Array, rest: Float32Array, mouth: Float32Array): Float32Array {
    return Float32Array.from([...face, ...this.#atRim(face), ...rest, ...mouth])
  }

  /** Vertices whose colour is that of the skin, not of lips, brows or eyes. */
  #skin(): Int32Array {
    const { cheeks, forehead } = this.#model.regions ?? {}
    return Int32Array.from([...(cheeks ?? []), ...(forehead ?? [])])
  }

  #skinMean(values: ArrayLike<number>): [number, number, number] {
    return mean(Float32Array.from([...this.#skin()].flatMap((v) => [0, 1, 2].map((c) => values[3 * v + c]))))
  }
}

function withoutTails(offsets: Float32Array): Float32Array {
  return offsets.map((value, i) => {
    const v = i - (i % 3)
    const share = (Math.hypot(offsets[v], offsets[v + 1], offsets[v + 2]) - TAIL) / (WHOLE - TAIL)
    return value * Math.min(1, Math.max(0, share))
  })
}

const flat = (values: NonNullable<PlainFaceMesh['uv']>): ArrayLike<number> =>
  'data' in values ? values.data : values

function mean(values: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) sum[i % 3] += (3 * values[i]) / values.length
  return sum
}
