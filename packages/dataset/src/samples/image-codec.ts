import { readPicture, type Picture } from '@facekit/annotate'
import ndarray from 'ndarray'

/** Decodes the pictures of samples: JPEG crops and PNG masks. */
export type DecodeImage = (bytes: Uint8Array, limit: { maxPixels: number }) => Promise<Picture>

/** Decodes as `readPicture` of @facekit/annotate does: by sharp in Node, by the browser in a browser. */
export const decodeImage: DecodeImage = (bytes, { maxPixels }) => readPicture(bytes, { maxPixels })

/** `[H, W, 3]` as a JPEG file with whole chroma. Node only. */
export async function encodeJpeg(picture: Picture, quality: number): Promise<Uint8Array> {
  return (await rawImage(picture)).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
}

/** `[H, W, 3]` as a PNG file. Node only. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  return (await rawImage(picture)).png({ compressionLevel: 9, adaptiveFiltering: true }).toBuffer()
}

async function rawImage(picture: Picture) {
  const { default: sharp } = await import('sharp')
  const [height, width] = picture.shape
  // So that `isOwnPicture` of @facekit/annotate knows it again.
  const exif = { IFD0: { Software: 'facekit' } }
  return sharp(picture.data, { raw: { width, height, channels: 3 } }).withExif(exif)
}

/** Three masks `[S, S]` of 0..1 as the channels of a picture. */
export function packMasks(size: number, masks: readonly { get(y: number, x: number): number }[]): Picture {
  const data = new Uint8Array(size * size * 3)
  for (const [channel, mask] of masks.entries()) {
    for (let i = 0; i < size * size; i++) {
      const value = mask.get(Math.floor(i / size), i % size)
      data[i * 3 + channel] = Math.round(Math.min(1, Math.max(0, value)) * 255)
    }
  }
  return ndarray(data, [size, size, 3])
}

/** One channel of a picture as a mask `[S, S]` of 0..1. */
export function unpackMask(picture: Picture, channel: number) {
  const [height, width] = picture.shape
  const mask = new Float32Array(height * width)
  for (let i = 0; i < mask.length; i++) mask[i] = picture.data[i * 3 + channel] / 255
  return ndarray(mask, [height, width])
}
