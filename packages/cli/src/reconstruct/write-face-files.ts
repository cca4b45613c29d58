import { basename, join } from 'node:path'
import { cropFace, type FaceAnnotation, type Picture } from '@facekit/annotate'
import {
  bakeTexture,
  composePanels,
  bakeFaceTextures,
  encodeFaceTextures,
  writeHtmlReport,
  ownPictureText,
  writePng,
  type PictureArray,
  type Values,
  type FaceTextures,
} from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import {
  facePictures,
  MOST_UNCERTAIN,
  panelLabels,
  uncertaintyLabel,
  type RenderedPixels,
} from './face-pictures.js'
import { texturedPictures, type WornMaps, type WornMesh } from './textured-pictures.js'
import type { ParametersFile } from './parameters-file.js'
import type { HeadExtent } from '../export/head-extent.js'
import { usualFormats, writeMeshes } from '../export/write-meshes.js'
import type { PhaseTimer } from '../phase-timer.js'
import { readFaceMesh, type ColoredMesh } from '../render/read-face-mesh.js'

/** Width and height of each panel: twice the crop that is fitted, or the photograph would look poor. */
const PANEL_SIZE = 448
/** Width and height of the map of uncertainty, which is smooth. */
const UNCERTAINTY_SIZE = 512

/** A fitted face on its way to the disk. */
export interface FittedFace {
  picture: Picture
  annotation: FaceAnnotation
  model: MorphableModel
  result: FitResult
  parameters: ParametersFile
  folder: string
  /** Width and height of the maps: of the photograph, or of the model's colours. */
  maps: { texture: number } | { size: number }
  /** What the meshes show. Default 'face'. */
  head?: HeadExtent
  /** Maps that are there already, e.g. of all photographs of the person, with the shading of this one. */
  worn?: PhotographMaps
}

/** Maps of photographs, encoded and as numbers. */
export interface PhotographMaps {
  textures: FaceTextures
  linear: WornMaps
}

/** Writes all files of a face but parameters.json.
 *
 * @returns their names
 */
export async function writeFaceFiles(
  face: FittedFace,
  timer: PhaseTimer,
  signal: AbortSignal,
): Promise<string[]> {
  const { folder, picture, annotation, parameters } = face
  const { pixels, world, local } = await timer.measure('render', () => renderPixels(face))
  signal.throwIfAborted()
  const { textures, linear } =
    face.worn ?? (await timer.measure('texture', () => faceTextures(face, local, signal)))
  return timer.measure('write', async () => {
    const { image: crop } = cropFace(picture, annotation.landmarks, { size: PANEL_SIZE })
    const pictures = facePictures(crop, pixels, world)
    if (linear && local.uv)
      wearMaps(
        pictures,
        face,
        pixels,
        { ...world, uv: flat(local.uv), innerMouthUv: flatOrNone(local.innerMouthUv) },
        linear,
      )
    const labels = local.uncertainty ? [...panelLabels, uncertaintyLabel] : panelLabels
    await writePng(composePanels(pictures, labels), join(folder, 'panels.png'), { text: ownPictureText })
    signal.throwIfAborted()
    const { model, result } = face
    const { head } = face
    const { camera, pose, illumination } = parameters
    const light = { ...illumination, sphericalHarmonics: illumination.sphericalHarmonics.flat() }
    const photographed = { camera, pose, illumination: light }
    const meshes = {
      model,
      parameters: result.parameters,
      posed: local,
      textures,
      photographed,
      folder,
      head,
    }
    const files = await writeMeshes({ ...meshes, formats: new Set(usualFormats) }, signal)
    files.push('panels.png')
    if (local.uncertainty && local.uv) {
      const map = uncertaintyMap(local.uncertainty, local.uv, local.triangles, UNCERTAINTY_SIZE)
      await writePng(map, join(folder, 'face-uncertainty.png'), { text: ownPictureText })
      files.push('face-uncertainty.png')
    }
    await writeHtmlReport(
      {
        title: `${basename(parameters.picture.file)}, face ${parameters.face}`,
        mesh: world,
        ...(textures && { textures }),
        camera,
        illumination: light,
        picture: crop,
        metrics: metricsForPeople(parameters),
        downloads: [...files, 'parameters.json'].map((file) => ({ label: file, href: file })),
      },
      join(folder, 'index.html'),
    )
    return [...files, 'index.html']
  })
}

/** The maps of the face, from its photograph or of the model's colours; `linear` are those of the photograph as numbers. */
async function faceTextures(
  { maps, picture, annotation, result, model }: FittedFace,
  local: ColoredMesh,
  signal: AbortSignal,
): Promise<Partial<PhotographMaps>> {
  if (!local.uv) return {}
  if ('size' in maps) return { textures: bakeFaceTextures(local, maps) }
  const { createFaceTextures } = await import('@facekit/appearance')
  const fit = { ...result, annotation }
  const linear = await createFaceTextures([picture], [fit], model, { size: maps.texture, signal })
  return { textures: encodeFaceTextures(linear), linear }
}

/** Puts pictures of the maps in the place of those of the model's colours. */
function wearMaps(
  pictures: PictureArray[],
  { parameters }: FittedFace,
  pixels: RenderedPixels,
  mesh: WornMesh,
  maps: WornMaps,
): void {
  const { sphericalHarmonics, ...lamp } = parameters.illumination
  const light = {
    ...lamp,
    sphericalHarmonics: sphericalHarmonics.flat(),
    cameraDistance: parameters.camera.distance,
  }
  const worn = texturedPictures(pixels, mesh, maps, light)
  for (const [name, picture] of Object.entries(worn))
    pictures[panelLabels.indexOf(name as 'diffuse' | 'specular' | 'lit')] = picture
}

const flatOrNone = (uv: Values | undefined) => uv && flat(uv)

const flat = (uv: Values): Float32Array =>
  uv instanceof Float32Array
    ? uv
    : Float32Array.from({ length: uv.shape[0] * 2 }, (_, i) => uv.get(i >> 1, i & 1))

/** Renders the face at the panels' size. `world` is the mesh as the camera sees it, `local` without its pose. */
async function renderPixels({ model, result }: FittedFace) {
  const tensors = tf.tidy(() => {
    const { image, mask, fragments, vertices, normals } = renderFace(model, result.parameters, {
      width: PANEL_SIZE,
      height: PANEL_SIZE,
      camera: result.camera,
    })
    const { triangleIds, barycentrics } = fragments
    return { image, mask, triangleIds, barycentrics, vertices, normals }
  })
  const { image, mask, triangleIds, barycentrics, vertices, normals } = tensors
  const [imageData, maskData, ids, weights, positions, directions] = await Promise.all(
    [image, mask, triangleIds, barycentrics, vertices, normals].map(async (tensor) =>
      Float32Array.from(await tensor.data()),
    ),
  )
  tf.dispose(tensors)
  const { uncertainty } = result
  const local = { ...(await readFaceMesh(model, result.parameters)), ...(uncertainty && { uncertainty }) }
  const pixels: RenderedPixels = {
    size: PANEL_SIZE,
    image: imageData,
    mask: maskData,
    triangleIds: ids,
    barycentrics: weights,
  }
  return { pixels, world: { ...local, vertices: positions, normals: directions }, local }
}

/** Uncertainty over UV in grey, linearly: 255 is 5 mm or more. */
function uncertaintyMap(
  uncertainty: Float32Array,
  uv: Values,
  triangles: Int32Array,
  size: number,
): NdArray<Uint8Array> {
  const colors = Float32Array.from(
    { length: 3 * uncertainty.length },
    (_, i) => uncertainty[Math.floor(i / 3)],
  )
  const baked = bakeTexture(colors, uv, triangles, { size })
  const grey = Uint8Array.from({ length: size * size }, (_, i) =>
    Math.min(255, Math.round((255 * baked.data[3 * i]) / MOST_UNCERTAIN)),
  )
  return ndarray(grey, [size, size, 1])
}

function metricsForPeople({ metrics, model, backend }: ParametersFile): Record<string, string> {
  return {
    'Landmark error': `${(100 * metrics.landmarkError).toFixed(2)} %`,
    'Colour error': metrics.colorError.toFixed(3),
    Iterations: String(metrics.iterations),
    'Time of the fit': `${metrics.seconds.toFixed(1)} s`,
    Model: model.name,
    Backend: backend,
  }
}
