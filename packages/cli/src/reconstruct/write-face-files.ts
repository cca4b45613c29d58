import { basename, join } from 'node:path'
import { cropFace, type FaceAnnotation, type Picture } from '@facekit/annotate'
import {
  composePanels,
  createFaceTextures,
  writeGlb,
  writeHtmlReport,
  writeObj,
  writePly,
  writePng,
  type FaceMesh,
} from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { facePictures, panelLabels, type RenderedPixels } from './face-pictures.js'
import type { ParametersFile } from './parameters-file.js'
import type { PhaseTimer } from '../phase-timer.js'

/** Width and height of each panel: twice the crop that is fitted, or the photograph would look poor. */
const PANEL_SIZE = 448

/** A fitted face on its way to the disk. */
export interface FittedFace {
  picture: Picture
  annotation: FaceAnnotation
  model: MorphableModel
  result: FitResult
  parameters: ParametersFile
  folder: string
  mapSize: number
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
  const { folder, mapSize, picture, annotation, parameters } = face
  const { pixels, world, local } = await timer.measure('render', () => renderPixels(face))
  signal.throwIfAborted()
  return timer.measure('write', async () => {
    const { image: crop } = cropFace(picture, annotation.landmarks, { size: PANEL_SIZE })
    const pictures = facePictures(crop, pixels, world)
    await writePng(composePanels(pictures, panelLabels), join(folder, 'panels.png'))
    signal.throwIfAborted()
    // Baked once for both formats.
    const maps = local.uv ? { textures: createFaceTextures(local, { size: mapSize }) } : {}
    await writeGlb(local, join(folder, 'face.glb'), maps)
    signal.throwIfAborted()
    const objFiles = await writeObj(local, join(folder, 'face.obj'), maps)
    await writePly(local, join(folder, 'face.ply'))
    const files = ['face.glb', ...objFiles, 'face.ply', 'panels.png']
    const { illumination } = parameters
    await writeHtmlReport(
      {
        title: `${basename(parameters.picture.file)}, face ${parameters.face}`,
        mesh: world,
        camera: parameters.camera,
        illumination: { ...illumination, sphericalHarmonics: illumination.sphericalHarmonics.flat() },
        picture: crop,
        metrics: metricsForPeople(parameters),
        downloads: [...files, 'parameters.json'].map((file) => ({ label: file, href: file })),
      },
      join(folder, 'index.html'),
    )
    return [...files, 'index.html']
  })
}

type FilledMesh = FaceMesh &
  Required<Pick<FaceMesh, 'innerMouthTriangles'>> &
  Record<'normals' | 'diffuse' | 'specular', Float32Array>

/** Renders the face at the panels' size. `world` is the mesh as the camera sees it, `local` without its pose. */
async function renderPixels({
  model,
  result,
  parameters,
}: FittedFace): Promise<{ pixels: RenderedPixels; world: FilledMesh; local: FaceMesh }> {
  const tensors = tf.tidy(() => {
    const { image, mask, fragments, vertices, normals } = renderFace(model, result.parameters, {
      width: PANEL_SIZE,
      height: PANEL_SIZE,
      camera: result.camera,
    })
    const { triangleIds, barycentrics } = fragments
    const { diffuse, specular } = evaluateAlbedo(model, result.parameters.albedo)
    const shape = evaluateShape(model, result.parameters)
    return { image, mask, triangleIds, barycentrics, vertices, normals, diffuse, specular, shape }
  })
  const names = Object.keys(tensors) as (keyof typeof tensors)[]
  const data = await Promise.all(names.map((name) => tensors[name].data()))
  tf.dispose(tensors)
  const of = Object.fromEntries(names.map((name, i) => [name, data[i]])) as Record<
    keyof typeof tensors,
    Float32Array
  >
  const common = {
    triangles: model.triangles,
    innerMouthTriangles: model.innerMouthTriangles,
    ...(model.uv ? { uv: model.uv } : {}),
    diffuse: of.diffuse,
    specular: of.specular,
    shininess: parameters.illumination.shininess,
  }
  return {
    pixels: {
      size: PANEL_SIZE,
      image: of.image,
      mask: of.mask,
      triangleIds: of.triangleIds,
      barycentrics: of.barycentrics,
    },
    world: { ...common, vertices: of.vertices, normals: of.normals },
    local: { ...common, vertices: of.shape },
  }
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
