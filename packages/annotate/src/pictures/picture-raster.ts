import { Tensor, type Tensor3D } from '@tensorflow/tfjs-core'
import { ImageError, ShapeError } from '@facekit/core'
import { MOST_PIXELS } from './image-header.js'
import { assertPicture, type Picture } from './picture.js'
import type { Raster } from './resample.js'

/** The pixels of a picture in 0..255, whichever form it has.
 *
 * @param picture - a picture, or a tensor `[H, W, 3]` of encoded colours in 0..1
 * @throws {ShapeError} when it is neither
 * @throws {ImageError} when it is absurdly large, or a tensor holds numbers that are not finite
 */
export async function readRaster(who: string, picture: Picture | Tensor3D): Promise<Raster> {
  if (!(picture instanceof Tensor)) {
    assertPicture(who, picture)
    const [height, width] = picture.shape
    return checked(who, { data: picture.data, height, width, channels: 3 })
  }
  const [height, width, channels] = picture.shape
  if (picture.shape.length !== 3 || channels !== 3 || height < 1 || width < 1) {
    throw new ShapeError(`${who} is [${(picture.shape as number[]).join(', ')}], expected [H, W, 3]`)
  }
  const data = Float32Array.from(await picture.data(), (value) => value * 255)
  if (!data.every(Number.isFinite)) {
    throw new ImageError(`${who} holds numbers that are not finite, expected encoded colours in 0..1`)
  }
  return checked(who, { data, height, width, channels: 3 })
}

function checked(who: string, raster: Raster): Raster {
  if (raster.height * raster.width > MOST_PIXELS) {
    throw new ImageError(
      `${who} has ${raster.width} x ${raster.height} pixels, expected at most ${MOST_PIXELS}; make it smaller`,
    )
  }
  return raster
}
