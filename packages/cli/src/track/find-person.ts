import type { FaceAnnotation, Picture, SimilarityTransform } from '@facekit/annotate'
import { AnnotationError } from '@facekit/core'
import { encodeFaceTextures } from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import {
  disposeParameters,
  encodeParameters,
  readParameters,
  createParameters,
  type ParametersJson,
} from '@facekit/parameters'
import { readFaceMesh } from '../render/read-face-mesh.js'
import { writeMeshes } from '../export/write-meshes.js'
import type { Session } from '../session.js'
import type { Frame } from './frame.js'

/** Pictures of the video that are looked at, and those of them that the person is made of. */
const [LOOKED_AT, USED] = [8, 4]
/** Steps of the descent on light and albedo. */
const ITERATIONS = 15
/** Width and height of the maps. */
const TEXTURE = 1024

/** The person in a video, found in its best pictures. */
export interface Person {
  /** Of the best picture. */
  parameters: ParametersJson
  /** Width and height of the pictures. */
  width: number
  height: number
  /** Pixels of the pictures to the square that the tracker's camera sees. */
  transform: SimilarityTransform
  /** Pixels of a picture in a pixel of a crop of 224 of the face. */
  unit: number
}

/** Numbers of pictures to look at, spread over a video. */
export function spreadOut(count: number): Set<number> {
  const wanted = Math.min(LOOKED_AT, count)
  return new Set(Array.from({ length: wanted }, (_, i) => Math.floor(((i + 0.5) * count) / wanted)))
}

/** Makes the person out of the sharpest and most different pictures, and writes the meshes and maps.
 *
 * @throws {AnnotationError} when no face is in any of the pictures
 */
export async function findPerson(
  frames: readonly Frame[],
  { model }: Session,
  folder: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<Person> {
  const { annotate, findSamePerson } = await import('@facekit/annotate')
  const seen: { picture: Picture; faces: FaceAnnotation[] }[] = []
  for (const [i, frame] of frames.entries()) {
    signal.throwIfAborted()
    const picture = await frame.picture()
    seen.push({ picture, faces: await annotate(picture, { signal, maxFaces: 3 }) })
    onProgress(i + 1, frames.length)
  }
  const found = findSamePerson(seen.map(({ faces }) => faces.map(({ embedding }) => embedding)))
  const portraits = found.flatMap(({ face }, i) =>
    face === undefined ? [] : [{ picture: seen[i].picture, annotation: seen[i].faces[face] }],
  )
  if (portraits.length === 0)
    throw new AnnotationError(`no face was found in ${frames.length} pictures of the video`)
  const chosen = choose(portraits)
  const { fitFace } = await import('@facekit/fit')
  const [pictures, annotations] = [chosen.map((p) => p.picture), chosen.map((p) => p.annotation)]
  const result = await fitFace(pictures, annotations, model, {
    iterations: ITERATIONS,
    rate: 1,
    // Pictures of a video are of one light and much alike: a few steps tell colours, no shape.
    shapeWeight: Infinity,
    signal,
  })
  try {
    const [first] = await readParameters(result.parameters)
    const parameters = createParameters([first])
    const textures = model.uv && (await texturesOf(chosen, result, model, signal))
    const posed = await readFaceMesh(model, parameters)
    await writeMeshes(
      { model, parameters, posed, textures, folder, formats: new Set(['obj', 'ply']) },
      signal,
    )
    disposeParameters(parameters)
    const [height, width] = pictures[0].shape
    const { scale } = annotations[0].alignment.transform
    const { size } = annotations[0].alignment
    // The camera looks at the middle of the picture, and the face is as large to it as in its crop.
    const translation: [number, number] = [size / 2 - (scale * width) / 2, size / 2 - (scale * height) / 2]
    return {
      parameters: encodeParameters(first, model.shape.expressionNames),
      width,
      height,
      transform: { scale, rotation: 0, translation },
      unit: 224 / size / scale,
    }
  } finally {
    disposeParameters(result.parameters)
  }
}

interface Portrait {
  picture: Picture
  annotation: FaceAnnotation
}

/** The surest picture first, then those that look most to the left and to the right, then the surest of the rest. */
function choose(portraits: readonly Portrait[]): Portrait[] {
  const doubt = ({ annotation }: Portrait) => {
    const { denseLandmarks: dense, box } = annotation
    if (!dense) return 1
    return (
      dense.deviations.reduce((sum, value) => sum + value, 0) /
      dense.deviations.length /
      Math.sqrt(box.width * box.height)
    )
  }
  const turn = ({ annotation: { landmarks } }: Portrait) =>
    (landmarks.get(30, 0) - (landmarks.get(36, 0) + landmarks.get(45, 0)) / 2) /
    Math.hypot(landmarks.get(45, 0) - landmarks.get(36, 0), landmarks.get(45, 1) - landmarks.get(36, 1))
  const sure = portraits.toSorted((a, b) => doubt(a) - doubt(b))
  const clear = sure.slice(0, Math.max(USED, Math.ceil(0.7 * sure.length)))
  const turned = clear.toSorted((a, b) => turn(a) - turn(b))
  return [...new Set([clear[0], turned[0], turned.at(-1)!, ...clear])].slice(0, USED)
}

async function texturesOf(
  chosen: readonly Portrait[],
  result: FitResult,
  model: Session['model'],
  signal: AbortSignal,
) {
  const { createFaceTextures } = await import('@facekit/appearance')
  const fits = chosen.map(({ annotation }, row) => ({ ...result, annotation, row }))
  const pictures = chosen.map(({ picture }) => picture)
  return encodeFaceTextures(await createFaceTextures(pictures, fits, model, { size: TEXTURE, signal }))
}
