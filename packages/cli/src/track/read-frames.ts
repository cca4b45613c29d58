import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ValueError } from '@facekit/core'
import type { Frame } from './frame.js'
import { probeVideo, readVideo } from './ffmpeg.js'

/** A video, or a folder of its pictures. */
export interface Clip {
  /** Number of pictures, as far as it is known before they are read. */
  count: number
  frames(signal: AbortSignal): AsyncGenerator<Frame>
}

const PICTURES = /\.(png|jpe?g|webp|tiff?|bmp|avif)$/i

/** Opens a video file (by ffmpeg), or a folder of pictures in the order of the numbers in their names.
 *
 * @param fps - pictures a second of a folder; a video file knows its own
 * @throws {ValueError} when there is no such file or folder, no picture in it, or no ffmpeg
 */
export async function openClip(source: string, fps: number): Promise<Clip> {
  const found = await stat(source).catch(() => undefined)
  if (!found) throw new ValueError(`${source}: no such file or folder`)
  if (!found.isDirectory()) {
    const times = await probeVideo(source)
    return { count: times.length, frames: (signal) => readVideo(source, times, signal) }
  }
  const numeric = new Intl.Collator('en', { numeric: true })
  const names = (await readdir(source)).filter((name) => PICTURES.test(name)).sort(numeric.compare)
  if (names.length === 0)
    throw new ValueError(`${source}: holds no pictures (.png, .jpg, .webp, .tif, .bmp, .avif)`)
  return { count: names.length, frames: () => readFolder(source, names, fps) }
}

async function* readFolder(folder: string, names: readonly string[], fps: number): AsyncGenerator<Frame> {
  const { readPicture } = await import('@facekit/annotate')
  for (const [index, name] of names.entries())
    yield { index, time: index / fps, picture: () => readPicture(join(folder, name)) }
}
