import type { Face, FaceGeometry, ShapeChange } from 'facekit'

/** Keeps the shape that sliders ask for, and computes one at a time: the newest that is wanted. */
export class Reshaper {
  readonly expression: Record<string, number> = {}
  readonly identity: number[]
  readonly #face: Face
  readonly #show: (geometry: FaceGeometry) => void
  #wanted = false
  #running = false

  constructor(face: Face, show: (geometry: FaceGeometry) => void) {
    this.#face = face
    this.#show = show
    this.identity = [...face.parameters.identity]
  }

  /** What differs from the photograph's face. */
  get change(): ShapeChange {
    return { expression: this.expression, identity: this.identity }
  }

  async update(): Promise<void> {
    this.#wanted = true
    if (this.#running) return
    this.#running = true
    try {
      while (this.#wanted) {
        this.#wanted = false
        this.#show(await this.#face.geometry(this.change))
      }
    } finally {
      this.#running = false
    }
  }
}
