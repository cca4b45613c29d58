import { WholeHead } from '@facekit/base-model'
import type { FaceTextures } from '@facekit/export'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceGeometry } from '../face.js'
import { faceGeometry, faceSurface, vertexColors, type FaceNumbers } from './face-shape.js'

/** Uncertainty of what no photograph shows, mm. */
const GUESSED = 10

/** A face with the rest of its head: ears, neck and back, for one identity. The rest follows the face linearly: how, is found once for each expression. */
export class HeadSurface {
  readonly #model: MorphableModel
  readonly #face: FaceNumbers
  readonly #whole: WholeHead
  /** With the expression of the face that it was made for. */
  readonly #first: Omit<FaceGeometry, 'normals' | 'uncertainty'>
  readonly #movements = new Map<number, Float32Array>()

  private constructor(face: FaceNumbers, model: MorphableModel, whole: WholeHead, first: FaceGeometry) {
    this.#face = face
    this.#model = model
    this.#whole = whole
    this.#first = first
  }

  static async of(face: FaceNumbers, model: MorphableModel): Promise<HeadSurface> {
    const [colors, shininess] = [await vertexColors(face, model), face.illumination.shininess[0]]
    const meshOf = async (numbers: FaceNumbers) => ({
      ...(await faceGeometry(numbers, model, undefined)),
      ...colors,
      shininess,
    })
    const atRest = await meshOf({ ...face, expression: new Float32Array(face.expression.length) })
    const whole = await WholeHead.of(model, atRest)
    const { vertices, normals, triangles, innerMouthTriangles, uv, innerMouthUv } = whole.mesh(
      await meshOf(face),
    )
    return new HeadSurface(face, model, whole, {
      vertices,
      normals: copied(normals!),
      triangles: Int32Array.from(triangles),
      innerMouthTriangles: Int32Array.from(innerMouthTriangles),
      uv: copied(uv!),
      ...(innerMouthUv && { innerMouthUv: copied(innerMouthUv) }),
    })
  }

  /** With an expression: what changes of the geometry. New arrays. */
  async surface(expression: Float32Array): Promise<Pick<FaceGeometry, 'vertices' | 'normals'>> {
    const vertices = this.#first.vertices.slice()
    for (const [k, value] of expression.entries()) {
      const change = value - this.#face.expression[k]
      if (change === 0) continue
      const movement = await this.#movement(k)
      for (let i = 0; i < vertices.length; i++) vertices[i] += change * movement[i]
    }
    return { vertices, normals: this.#whole.normals(vertices) }
  }

  /** With an expression: vertices of the face first, then the rest. New arrays. */
  async geometry(expression: Float32Array, uncertainty: Float32Array | undefined): Promise<FaceGeometry> {
    const { triangles, innerMouthTriangles, uv, innerMouthUv } = this.#first
    const surface = await this.surface(expression)
    const doubts = uncertainty && new Float32Array(surface.vertices.length / 3).fill(GUESSED)
    doubts?.set(uncertainty!)
    return {
      ...surface,
      triangles: triangles.slice(),
      innerMouthTriangles: innerMouthTriangles.slice(),
      ...(uv && { uv: uv.slice() }),
      ...(innerMouthUv && { innerMouthUv: innerMouthUv.slice() }),
      ...(doubts && { uncertainty: doubts }),
    }
  }

  /** The face's maps with the colours of the rest. */
  textures(textures: FaceTextures): FaceTextures {
    return this.#whole.textures(textures)
  }

  /** How an expression's coefficient of 1 moves the head. */
  async #movement(k: number): Promise<Float32Array> {
    const known = this.#movements.get(k)
    if (known) return known
    const expression = this.#face.expression.slice()
    expression[k]++
    const { vertices } = await faceSurface({ ...this.#face, expression }, this.#model)
    const movement = this.#whole.offsets(vertices.map((value, i) => value - this.#first.vertices[i]))
    this.#movements.set(k, movement)
    return movement
  }
}

const copied = (values: ArrayLike<number> | { data: ArrayLike<number> }): Float32Array =>
  Float32Array.from('data' in values ? values.data : values)
