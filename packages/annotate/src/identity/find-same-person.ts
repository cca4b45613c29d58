/** Embeddings of one person are nearer to each other than this: with `loadEmbedder`'s network it divides pairs of 100 people with 95.5 % right. */
const SAME_PERSON_DISTANCE = 0.665
/** What is nearer to several agreed pictures' mean than to single ones. */
const ROUNDS = 3

/** Which face of a picture shows the person that `findSamePerson` looks for. */
export interface PersonInPicture {
  /** Index of the face; undefined: nobody in this picture is the person. */
  face: number | undefined
  /** Of the nearest face to the person's mean embedding; Infinity without a face. */
  distance: number
}

/** Finds the person whom most pictures show, and where: the face that has a likeness in the most pictures, then whoever is near the mean of those.
 *
 * @param embeddings - for each picture those of its faces, as in `FaceAnnotation`: `[D]`, unit length
 * @param limit - distance from which on two faces are two people. Default 0.665, for `loadEmbedder`'s network
 * @returns for each picture, in their order
 * @differentiable no
 * @example
 * const faces = await Promise.all(pictures.map((picture) => annotate(picture)))
 * const person = findSamePerson(faces.map((list) => list.map(({ embedding }) => embedding)))
 */
export function findSamePerson(
  embeddings: readonly (readonly Float32Array[])[],
  limit = SAME_PERSON_DISTANCE,
): PersonInPicture[] {
  let best: { likeness: number; reference: Float32Array } | undefined
  for (const reference of embeddings.flat()) {
    // How many pictures show somebody alike; of equally many, how alike.
    const likeness = embeddings.reduce(
      (sum, faces) =>
        sum + Math.max(0, ...nearest(faces, reference).map(({ distance }) => 2 - distance / limit)),
      0,
    )
    if (!best || likeness > best.likeness + 1e-9) best = { likeness, reference }
  }
  let reference = best?.reference
  let found: PersonInPicture[] = embeddings.map(() => ({ face: undefined, distance: Infinity }))
  for (let round = 0; round < ROUNDS && reference; round++) {
    found = embeddings.map((faces) => {
      const [near] = nearest(faces, reference!, Infinity)
      return near
        ? { face: near.distance < limit ? near.face : undefined, distance: near.distance }
        : { face: undefined, distance: Infinity }
    })
    reference = mean(found.flatMap(({ face }, p) => (face === undefined ? [] : [embeddings[p][face]])))
  }
  return found

  function nearest(faces: readonly Float32Array[], to: Float32Array, most = limit) {
    return faces
      .map((embedding, face) => ({ face, distance: distanceOf(embedding, to) }))
      .filter(({ distance }) => distance < most)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, 1)
  }
}

function distanceOf(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2
  return Math.sqrt(sum)
}

function mean(list: readonly Float32Array[]): Float32Array | undefined {
  if (list.length === 0) return undefined
  return list[0].map((_, k) => list.reduce((sum, values) => sum + values[k], 0) / list.length)
}
