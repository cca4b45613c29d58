import type { PictureSource } from './read-picture.js'

/** Diagonal of 35 mm film, mm: equivalents are by the diagonal (CIPA DCG-001). */
const FILM_DIAGONAL = Math.hypot(36, 24)
/** Two shapes of a picture that differ by more are not the same picture. */
const SAME_SHAPE = 0.02

/** The focal length with which a photograph was taken, in its own pixels, as EXIF says it: the 35 mm equivalent over the picture's diagonal.
 *
 * @param source - as for `readPicture`
 * @param size - width and height of the picture as it was read
 * @returns undefined where the file does not say it, or where the picture has another shape than the camera wrote down: it was cropped, and nobody knows how
 * @example
 * const focal = await readFocalLength('me.jpg', { width: 4000, height: 3000 }) // 3005 px for a 26 mm equivalent
 */
export async function readFocalLength(
  source: PictureSource,
  { width, height }: { width: number; height: number },
): Promise<number | undefined> {
  const { default: exifr } = await import('exifr')
  const tags = await exifr
    .parse(source as string, {
      pick: ['FocalLengthIn35mmFormat', 'ExifImageWidth', 'ExifImageHeight'],
      translateValues: false,
    })
    // A file without EXIF, or with one that nobody can read, has no focal length; that the picture can be read is the concern of readPicture.
    .catch(() => undefined)
  const equivalent = Number(tags?.FocalLengthIn35mmFormat)
  // 0 stands for unknown.
  if (!(equivalent > 0) || !Number.isFinite(equivalent)) return undefined
  const [w, h] = [Number(tags.ExifImageWidth), Number(tags.ExifImageHeight)]
  const shape = (a: number, b: number) => Math.max(a, b) / Math.min(a, b)
  if (w > 0 && h > 0 && Math.abs(shape(w, h) / shape(width, height) - 1) > SAME_SHAPE) return undefined
  return equivalentFocalLength(equivalent, { width, height })
}

/** A focal length in pixels of a picture from its 35 mm equivalent.
 *
 * @param equivalent - mm
 */
export function equivalentFocalLength(
  equivalent: number,
  { width, height }: { width: number; height: number },
): number {
  return (equivalent / FILM_DIAGONAL) * Math.hypot(width, height)
}
