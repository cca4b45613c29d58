import type { Face, FaceGeometry, HeadExtent, ShapeChange } from 'facekit'

/** Keeps the shape that sliders ask for, and computes one at a time: the newest that is wanted. */
export class Reshaper {
  readonly expression: Record<string, number> = {}
  readonly identity: number[]
  readonly #face: Face
  readonly #head: () => HeadExtent
  readonly #show: (geometry: FaceGeometry) => void
  #wanted = false
  #running: Promise<void> | undefined

  /** @param head - how much of a head is shown now */
  constructor(face: Face, head: () => HeadExtent, show: (geometry: FaceGeometry) => void) {
    this.#face = face
    this.#head = head
    this.#show = show
    this.identity = [...face.parameters.identity]
  }

  /** What differs from the photograph's face. */
  get change(): ShapeChange {
    const { identity } = this.#face.parameters
    // With another form the rest of a head is found anew.
    const isChanged = this.identity.some((value, k) => value !== identity[k])
    return { expression: this.expression, ...(isChanged && { identity: this.identity }) }
  }

  async update(): Promise<void> {
    this.#wanted = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false
      const head = this.#head()
      const geometry = await this.#face.geometry({ ...this.change, head })
      if (head === this.#head()) this.#show(geometry)
    }
  }
}
