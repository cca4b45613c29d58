import { ImageError, ValueError } from '@facekit/core'
import { decode } from 'fast-png'
import ndarray, { type NdArray } from 'ndarray'
import type { FaceTextures } from './face-textures.js'

/** Reads the maps that `writeObj` has written beside an OBJ: colours from the PNG files, the largest specular albedo from the material. Node only.
 *
 * @param folder - that holds `<name>.mtl`, `<name>-diffuse.png`, `<name>-specular.png` and perhaps `<name>-normal.png`, `<name>-displacement.png` and
 * `<name>-mouth.png`
 * @returns what `writeObj` was given, number for number
 * @throws {ImageError} when a map is no square PNG of 8 bits and three channels (the displacement: of 16 bits and one), or not of the size of the others
 * @param folder - that holds `<name>.mtl`, `<name>-diffuse.png`, `<name>-specular.png` and perhaps `<name>-normal.png`, `<name>-mouth.png` and `<name>-shading.png`
 * @throws {ImageError} when a map is no square PNG of 8 bits and three channels, or not of the size of the others
 * @throws {ValueError} when the material does not tell the largest specular albedo
 * @throws the file system's own error when a file is missing
 */
export async function readFaceTextures(folder: string, name = 'face'): Promise<FaceTextures> {
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const { join } = await import(/* webpackIgnore: true */ 'node:path')
  const file = (end: string) => join(folder, `${name}${end}`)
  const mtl = await readFile(file('.mtl'), 'utf8')
  const specularScale = Number(/^newmtl skin$[^]*?^Ks (\S+)/m.exec(mtl)?.[1])
  if (!(specularScale > 0 && specularScale <= 1))
    throw new ValueError(`readFaceTextures: ${file('.mtl')} has no Ks in 0..1 for the material "skin"`)
  const read = async (end: string) => squareMap(file(end), await readFile(file(end)))
  const [diffuse, specular] = await Promise.all([read('-diffuse.png'), read('-specular.png')])
  const normal = /^norm /m.test(mtl) ? await read('-normal.png') : undefined
  const displacement = /^disp /m.test(mtl)
    ? heights(file('-displacement.png'), await readFile(file('-displacement.png')))
    : undefined
  for (const map of [specular, normal, displacement])
    if (map && map.shape[0] !== diffuse.shape[0])
      throw new ImageError(
        `readFaceTextures: maps in ${folder} are ${diffuse.shape[0]} and ${map.shape[0]} texels wide, expected one size`,
      )
  const shadingFile = file('-shading.png')
  const shading = /^# shading /m.test(mtl) ? mapOf(shadingFile, await readFile(shadingFile)) : undefined
  const mouth = await readFile(file('-mouth.png')).then(
    (bytes) => mapOf(file('-mouth.png'), bytes),
    () => undefined,
  )
  return {
    diffuse,
    specular,
    specularScale,
    ...(normal && { normal }),
    ...(displacement && { displacement }),
    ...(shading && { shading }),
    // One texel is the darkness of a mouth that no photograph shows.
    ...(mouth && mouth.shape[1] > 1 && { mouth }),
  }
}

function squareMap(file: string, bytes: Uint8Array): NdArray<Uint8Array> {
  const map = mapOf(file, bytes)
  checkSquare(file, map.shape)
  return map
}

function mapOf(file: string, bytes: Uint8Array): NdArray<Uint8Array> {
  const { width, height, data } = decodeMap(file, bytes, { channels: 3, depth: 8 })
  return ndarray(Uint8Array.from(data), [height, width, 3])
}

function heights(file: string, bytes: Uint8Array): NdArray<Uint16Array> {
  const { width, height, data } = decodeMap(file, bytes, { channels: 1, depth: 16 })
  checkSquare(file, [height, width])
  return ndarray(Uint16Array.from(data), [height, width])
}

function checkSquare(file: string, [height, width]: readonly number[]): void {
  if (height !== width)
    throw new ImageError(`readFaceTextures: ${file} is ${width} x ${height}, expected a square`)
}

function decodeMap(
  file: string,
  bytes: Uint8Array,
  expected: { channels: number; depth: number },
): ReturnType<typeof decode> {
  const fail = (what: string, cause?: unknown): never => {
    const channels = expected.channels === 1 ? 'one channel' : 'three channels'
    throw new ImageError(
      `readFaceTextures: ${file} ${what}, expected a PNG of ${expected.depth} bits and ${channels}`,
      { cause },
    )
  }
  let image: ReturnType<typeof decode>
  try {
    image = decode(bytes)
  } catch (cause) {
    return fail('is no PNG', cause)
  }
  const { width, height, channels, depth } = image
  if (channels !== expected.channels || depth !== expected.depth)
    return fail(`is ${width} x ${height} with ${channels} channels of ${depth} bits`)
  return image
}
