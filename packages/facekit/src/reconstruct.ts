import { AnnotationError, ValueError } from '@facekit/core'
import { cautionsOf } from './cautions.js'
import { followFace } from './follow-face.js'
import type { Face } from './face.js'
import { openWork } from './open-work.js'
import type { FoundFace, HeadOptions, PhotoOptions, ReconstructOptions } from './options.js'
import { photoData, type PhotoSource } from './photo-source.js'
import type { FaceWork, OpenPhoto } from './stages/face-work.js'

/** Makes a 3D face of a photograph, or of several of one person, in Node, in a browser or in a worker.
 *
 * Finds the face, its landmarks, pose, shape and expression, the light, and the face's colours without that light. In a browser all of this runs
 * in a worker; nothing leaves the machine. The networks and the face model are loaded when the first face needs them.
 *
 * Several photographs give one shape and one set of maps, each side of the face from where it is seen best; pose, expression, light and `view` are those of the
 * first.
 *
 * @param photo - a file, bytes, address, image, canvas, video or path; or a list of them, all of one person
 * @returns the face; `dispose` frees it
 * @differentiable no
 * @memory plain data, and about 40 MB for each face until `dispose`; networks and model stay
 * @throws {ImageError} when the photograph cannot be read
 * @throws {AnnotationError} when there is no face in it, or in one of several
 * @throws {ValueError} when an option is out of range, the list is empty, or there are not so many faces
 * @throws {BackendError} when no backend works here
 * @throws the signal's reason when it is aborted
 * @example
 * const face = await reconstruct('me.jpg')
 * await writeFile('me.glb', await face.glb())
 * face.dispose()
 */
export async function reconstruct(
  photo: PhotoSource | readonly PhotoSource[],
  options: ReconstructOptions = {},
): Promise<Face> {
  const { face: choice = 0 } = options
  const photos: readonly PhotoSource[] = Array.isArray(photo) ? photo : [photo as PhotoSource]
  if (photos.length === 0) throw new ValueError('reconstruct: the list of photographs is empty')
  const chosen: ChosenFace[] = []
  const next = (): Promise<Face> =>
    withPhoto(photos[chosen.length], options, async (work, open) => {
      const index = typeof choice === 'function' ? await choice(open.faces, chosen.length) : choice
      options.signal?.throwIfAborted()
      chosen.push({ ...open, index })
      return chosen.length < photos.length ? next() : faceOf(work, chosen, options)
    })
  return next()
}

/** Makes 3D faces of all people in a photograph, largest first.
 *
 * @param photo - as for `reconstruct`
 * @param options - as for `reconstruct`; `most`: how many at most, default all
 * @throws as `reconstruct`
 */
export async function reconstructAll(
  photo: PhotoSource,
  options: Omit<ReconstructOptions, 'face'> & { most?: number } = {},
): Promise<Face[]> {
  return withPhoto(photo, options, async (work, open) => {
    const faces: Face[] = []
    try {
      for (const index of open.faces.slice(0, options.most).keys())
        faces.push(await faceOf(work, [{ ...open, index }], options))
      return faces
    } catch (error) {
      for (const face of faces) face.dispose()
      throw error
    }
  })
}

/** Finds the faces of a photograph without reconstructing them, largest first; none where there is no face.
 *
 * @throws {ImageError} when the photograph cannot be read
 */
export async function findFaces(photo: PhotoSource, options: PhotoOptions = {}): Promise<FoundFace[]> {
  return withPhoto(photo, options, async (_, { faces }) => faces, true)
}

/** Loads the networks and the face model and starts the engine, so that the first face does not wait for them. Optional.
 *
 * @param options - of the calls that will follow; `head: 'full'`: also loads what a whole head needs
 * @throws {ValueError} for any other extent of a head
 */
export async function prepare(options: PhotoOptions & HeadOptions = {}): Promise<void> {
  const { signal, onProgress, head } = options
  const work = await openWork(options)
  await work.prepare({ ...engineOf(options), head }, { signal, onProgress })
}

async function withPhoto<T>(
  photo: PhotoSource,
  options: PhotoOptions,
  use: (work: FaceWork, open: OpenPhoto) => Promise<T>,
  mayBeEmpty = false,
): Promise<T> {
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  const data = await photoData(photo)
  const work = await openWork(options)
  const open = await work.open(data, engineOf(options), { signal, onProgress })
  try {
    if (open.faces.length === 0 && !mayBeEmpty)
      throw new AnnotationError(
        'reconstruct: no face found; is one sharp, well lit and at least 50 pixels wide?',
      )
    return await use(work, open)
  } finally {
    void work.close(open.photo)
  }
}

/** A photograph and which of its faces is meant. */
interface ChosenFace extends OpenPhoto {
  index: number
}

/** @param chosen - the same person in one photograph or several */
async function faceOf(
  work: FaceWork,
  chosen: readonly ChosenFace[],
  options: ReconstructOptions,
): Promise<Face> {
  for (const { index, faces } of chosen)
    if (!Number.isInteger(index) || index < 0 || index >= faces.length)
      throw new ValueError(
        `reconstruct: face is ${index}, expected a whole number from 0 to ${faces.length - 1}; ${faces.length} were found`,
      )
  const { method, iterations, texture, head, signal, onProgress } = options
  const found = await work.reconstruct(
    chosen.map(({ photo, index }) => ({ photo, index })),
    { ...engineOf(options), method, iterations, texture, head },
    { signal, onProgress },
  )
  const { face, parameters, view } = found
  return {
    parameters,
    view,
    cautions: cautionsOf(parameters),
    faces: chosen[0].faces,
    glb: (options = {}) => work.glb(face, options),
    usdz: () => work.usdz(face),
    render: (view = {}) => work.render(face, view),
    geometry: (change = {}) => work.geometry(face, change),
    maps: (options = {}) => work.maps(face, options),
    follow: (options = {}) => followFace(work, face, options),
    dispose: () => void work.forget(face),
  }
}

const engineOf = ({ backend, networks }: PhotoOptions) => ({ backend, networks })
