import { AnnotationError } from '@facekit/core'
import type { FaceScene, SceneFace } from './face-scene.js'
import { readPicture } from '@facekit/annotate'

/** Options of `openWiderFace`. */
export interface OpenWiderFaceOptions {
  /** Faces whose shorter side has fewer pixels are ignored. Default 12. */
  minSize?: number
}

/** Opens WIDER FACE: the pictures and the list of their faces.
 *
 * The layout of the original: `WIDER_train/images/0--Parade/0_Parade_marchingband_1_849.jpg`, and
 * `wider_face_split/wider_face_train_bbx_gt.txt`. Node only.
 *
 * @param images - the folder of pictures, `WIDER_train/images`
 * @param list - path of the text with the boxes
 * @returns a scene for each picture of the list; decoded when asked for
 * @throws {AnnotationError} when the list is damaged
 * @example
 * const scenes = await openWiderFace('WIDER_train/images', 'wider_face_split/wider_face_train_bbx_gt.txt')
 */
export async function openWiderFace(
  images: string,
  list: string,
  options: OpenWiderFaceOptions = {},
): Promise<FaceScene[]> {
  const { readFile } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const parsed = parseWiderFace(await readFile(list, 'utf8'), options)
  return parsed.map(({ name, faces }) => ({ name, faces, read: () => readPicture(join(images, name)) }))
}

/** Reads the list of WIDER FACE: for each picture its path, the number of its faces, and for each of these
 * `x y width height blur expression illumination invalid occlusion pose`. A picture without faces has one line of zeros.
 *
 * @returns faces in pixels; those that are invalid, heavily blurred or small are ignored ones
 * @throws {AnnotationError} when a line is not as it should be
 */
export function parseWiderFace(
  text: string,
  { minSize = 12 }: OpenWiderFaceOptions = {},
): { name: string; faces: SceneFace[] }[] {
  const lines = text.split(/\r?\n/)
  const result: { name: string; faces: SceneFace[] }[] = []
  let at = 0
  const fail = (what: string) => new AnnotationError(`parseWiderFace: line ${at}: ${what}`)
  while (at < lines.length) {
    const name = lines[at++].trim()
    if (name === '') continue
    const count = Number(lines[at++]?.trim() || NaN)
    if (!Number.isInteger(count) || count < 0) throw fail(`expected the number of faces of ${name}`)
    const faces: SceneFace[] = []
    // Without faces a line follows all the same.
    for (let i = 0; i < Math.max(1, count); i++) {
      const line = lines[at++]?.trim() ?? ''
      const numbers = line.split(/\s+/).map(Number)
      if (line === '' || numbers.length < 4 || !numbers.every(Number.isFinite)) {
        throw fail(`expected "x y width height ..." of a face of ${name}, found "${line}"`)
      }
      const [x, y, width, height, blur = 0, , , invalid = 0] = numbers
      if (i >= count || width <= 0 || height <= 0) continue
      const ignored = invalid > 0 || blur > 1 || Math.min(width, height) < minSize
      faces.push({ box: { x, y, width, height }, ...(ignored && { ignored }) })
    }
    result.push({ name, faces })
  }
  return result
}
