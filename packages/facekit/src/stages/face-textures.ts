import { createFaceTextures } from '@facekit/appearance'
import { bakeFaceTextures, encodeFaceTextures, type FaceTextures } from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceMaps } from '../face.js'
import type { RgbaImage } from '../photo-source.js'
import { faceGeometry, vertexColors, type FaceNumbers } from './face-shape.js'
import type { SeenPhoto } from './read-photo.js'

/** Width and height of maps that show the model's smooth colours. */
const MODEL_SIZE = 512

/** Maps of a fitted face: of its photographs, or of the model's colours. */
export async function faceTextures(
  seen: readonly SeenPhoto[],
  fitted: { result: FitResult; model: MorphableModel; numbers: FaceNumbers },
  size: number | 'none',
  signal: AbortSignal | undefined,
): Promise<FaceTextures> {
  const { result, model, numbers } = fitted
  if (size !== 'none') {
    const fits = seen.map(({ annotation }, row) => ({ ...result, annotation, row }))
    const pictures = seen.map(({ photo }) => photo.picture)
    return encodeFaceTextures(await createFaceTextures(pictures, fits, model, { size, signal }))
  }
  const mesh = { ...(await faceGeometry(numbers, model, undefined)), ...(await vertexColors(numbers, model)) }
  return bakeFaceTextures(mesh, { size: MODEL_SIZE })
}

/** Maps as pictures with alpha; new arrays. */
export function faceMaps({
  diffuse,
  specular,
  specularScale,
  normal,
  mouth,
  shading,
}: FaceTextures): FaceMaps {
  return {
    diffuse: opaque(diffuse),
    specular: opaque(specular),
    specularScale,
    ...(normal && { normal: opaque(normal) }),
    ...(mouth && { mouth: opaque(mouth) }),
    ...(shading && { shading: opaque(shading) }),
  }
}

function opaque({ data: rgb, shape: [height, width] }: FaceTextures['diffuse']): RgbaImage {
  const data = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    data[to] = rgb[from]
    data[to + 1] = rgb[from + 1]
    data[to + 2] = rgb[from + 2]
  }
  return { width, height, data }
}
