import { ImageError, ValueError } from '@facekit/core'
import { decode } from 'fast-png'
import ndarray, { type NdArray } from 'ndarray'
import type { FaceTextures } from './face-textures.js'

/** Reads the maps that `writeObj` has written beside an OBJ: colours from the PNG files, the largest specular albedo from the material. Node only.
 *
 * @param folder - that holds `<name>.mtl`, `<name>-diffuse.png`, `<name>-specular.png` and perhaps `<name>-normal.png` and `<name>-mouth.png`
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
  const hasNormal = /^norm /m.test(mtl)
  const normal = hasNormal ? await read('-normal.png') : undefined
  for (const map of [specular, normal])
    if (map && map.shape[0] !== diffuse.shape[0])
      throw new ImageError(
        `readFaceTextures: maps in ${folder} are ${diffuse.shape[0]} and ${map.shape[0]} texels wide, expected one size`,
      )
  const mouth = await readFile(file('-mouth.png')).then(
    (bytes) => mapOf(file('-mouth.png'), bytes),
    () => undefined,
  )
  return {
    diffuse,
    specular,
    specularScale,
    ...(normal && { normal }),
    // One texel is the darkness of a mouth that no photograph shows.
    ...(mouth && mouth.shape[1] > 1 && { mouth }),
  }
}

function squareMap(file: string, bytes: Uint8Array): NdArray<Uint8Array> {
  const map = mapOf(file, bytes)
  if (map.shape[0] !== map.shape[1])
    throw new ImageError(`readFaceTextures: ${file} is ${map.shape[1]} x ${map.shape[0]}, expected a square`)
  return map
}

function mapOf(file: string, bytes: Uint8Array): NdArray<Uint8Array> {
  const fail = (what: string, cause?: unknown): never => {
    throw new ImageError(`readFaceTextures: ${file} ${what}, expected a PNG of 8 bits and three channels`, {
      cause,
    })
  }
  let image: ReturnType<typeof decode>
  try {
    image = decode(bytes)
  } catch (cause) {
    return fail('is no PNG', cause)
  }
  const { width, height, channels, depth, data } = image
  if (channels !== 3 || depth !== 8)
    return fail(`is ${width} x ${height} with ${channels} channels of ${depth} bits`)
  return ndarray(Uint8Array.from(data), [height, width, 3])
}
