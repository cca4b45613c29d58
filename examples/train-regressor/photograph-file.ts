import { ModelFormatError, readSafetensors, writeSafetensors, type SafetensorsEntry } from '@facekit/core'

/** Labelled photographs of faces, as `alignFace` cuts them out; plain data. Each counts twice: as it is, and mirrored, since who has learned from left
 * and right must not tell them apart. */
export interface Photographs {
  /** N */
  count: number
  /** S, pixels. */
  size: number
  /** Name of the face model that the parameters are of. */
  model: string
  /** `[N]` who it is. */
  people: string[]
  /** `[N]` 1 for people whom no regressor shall learn from. */
  heldOut: Uint8Array
  /** `[N, S, S, 3]` encoded, 0..255. */
  pictures: Uint8Array
  /** `[N, S, S, 3]` 0..255: face region, probability of skin, opening of the mouth. */
  masks: Uint8Array
  /** `[N, 2, 68, 2]` pixels: as it is, mirrored. */
  landmarks: Float32Array
  /** `[N, 2, Ki]`, `[N, 2, Ke]`, `[N, 2, 7]` what a fit says: identity, expression; rotation, translation and scale. */
  identity: Float32Array
  expression: Float32Array
  pose: Float32Array
}

const SIDES = 2

/** Writes photographs as one safetensors file. */
export function writePhotographs(photographs: Photographs): Uint8Array<ArrayBuffer> {
  const { count, size, model, people } = photographs
  const entry = (data: Uint8Array | Float32Array, ...shape: number[]): SafetensorsEntry => ({
    shape: [count, ...shape],
    data,
  })
  const rows = (data: Float32Array) => entry(data, SIDES, data.length / count / SIDES)
  return writeSafetensors({
    metadata: { model, people: JSON.stringify(people) },
    tensors: new Map([
      ['heldOut', entry(photographs.heldOut)],
      ['pictures', entry(photographs.pictures, size, size, 3)],
      ['masks', entry(photographs.masks, size, size, 3)],
      ['landmarks', entry(photographs.landmarks, SIDES, 68, 2)],
      ['identity', rows(photographs.identity)],
      ['expression', rows(photographs.expression)],
      ['pose', rows(photographs.pose)],
    ]),
  })
}

/** Reads a file of `writePhotographs`.
 *
 * @throws {ModelFormatError} when it is another file
 */
export function readPhotographs(bytes: Uint8Array): Photographs {
  const who = 'readPhotographs'
  const { metadata, tensors } = readSafetensors(bytes, who)
  const tensor = (name: string) => {
    const found = tensors.get(name)
    if (!found) throw new ModelFormatError(`${who}: it has no ${name}; make it with pack-photographs.ts`)
    return found
  }
  const floats = (name: string) => tensor(name).data as Float32Array
  const bytesOf = (name: string) => tensor(name).data as Uint8Array
  const [count, size] = tensor('pictures').shape
  return {
    count,
    size,
    model: metadata.model,
    people: JSON.parse(metadata.people) as string[],
    heldOut: bytesOf('heldOut'),
    pictures: bytesOf('pictures'),
    masks: bytesOf('masks'),
    landmarks: floats('landmarks'),
    identity: floats('identity'),
    expression: floats('expression'),
    pose: floats('pose'),
  }
}

/** One set of several, of one model and size. */
export function joinPhotographs(sets: readonly Photographs[]): Photographs {
  const [{ size, model }] = sets
  const floats = (of: (set: Photographs) => Float32Array) => {
    const joined = new Float32Array(sets.reduce((sum, set) => sum + of(set).length, 0))
    let at = 0
    for (const set of sets) {
      joined.set(of(set), at)
      at += of(set).length
    }
    return joined
  }
  const bytes = (of: (set: Photographs) => Uint8Array) => new Uint8Array(Buffer.concat(sets.map(of)))
  return {
    count: sets.reduce((sum, { count }) => sum + count, 0),
    size,
    model,
    people: sets.flatMap(({ people }) => people),
    heldOut: bytes((set) => set.heldOut),
    pictures: bytes((set) => set.pictures),
    masks: bytes((set) => set.masks),
    landmarks: floats((set) => set.landmarks),
    identity: floats((set) => set.identity),
    expression: floats((set) => set.expression),
    pose: floats((set) => set.pose),
  }
}
