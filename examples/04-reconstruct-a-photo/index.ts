// A photograph in, a relightable 3D face out: a mesh with its albedo maps, and a page to look at it.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { annotate, readPicture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { writeGlb, writeHtmlReport, type FaceMesh } from '@facekit/export'
import { fitFace, type FitResult } from '@facekit/fit'
import { evaluateAlbedo, evaluateShape } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

/** Writes face.glb and index.html of the largest face of a photograph. */
export async function reconstructPhoto(
  photo: string,
  folder: string,
  iterations?: number,
): Promise<FitResult['metrics']> {
  const model = await loadBaseModel()
  // 1. Find the face and label it: 68 landmarks, an aligned crop, what is skin, who it is.
  const picture = await readPicture(photo)
  const [face] = await annotate(picture, { maxFaces: 1 })
  if (face === undefined) throw new Error(`${photo}: no face found`)
  // 2. Fit: shape, expression, albedo, pose and light, so that the rendered face looks like the crop.
  const { parameters, camera, metrics } = await fitFace(picture, face, model, { iterations })
  // 3. From parameters to a mesh. `world` stands before the camera as the face did; `shape` looks straight ahead.
  const { illumination } = parameters
  const tensors = tf.tidy(() => {
    const { vertices } = renderFace(model, parameters, { width: 224, height: 224, camera })
    const { diffuse, specular } = evaluateAlbedo(model, parameters.albedo)
    return { world: vertices, shape: evaluateShape(model, parameters), diffuse, specular }
  })
  const read = async (tensor: tf.Tensor) => (await tensor.data()) as Float32Array
  const { triangles, innerMouthTriangles, uv } = model
  const mesh: FaceMesh = {
    vertices: await read(tensors.shape),
    triangles,
    innerMouthTriangles,
    uv,
    diffuse: await read(tensors.diffuse),
    specular: await read(tensors.specular),
    shininess: (await read(illumination.shininess))[0],
  }
  // 4. The mesh for Blender and the like, and a page that opens from disk.
  await mkdir(folder, { recursive: true })
  await writeGlb(mesh, join(folder, 'face.glb'))
  const scene = {
    title: 'A face',
    mesh: { ...mesh, vertices: await read(tensors.world) },
    camera,
    illumination: {
      sphericalHarmonics: await read(illumination.sphericalHarmonics),
      lightPosition: await read(illumination.lightPosition),
      lightColor: await read(illumination.lightColor),
    },
    picture: face.alignment.image,
    downloads: [{ label: 'face.glb', href: 'face.glb' }],
  }
  await writeHtmlReport(scene, join(folder, 'index.html'))
  tf.dispose(tensors)
  disposeParameters(parameters)
  return metrics
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [photo, folder = 'face'] = process.argv.slice(2)
  if (photo === undefined) throw new Error('which photograph? index.ts <photo> [folder]')
  const { backend } = await initEngine({ backend: 'wasm' })
  const { landmarkError, colorError, seconds } = await reconstructPhoto(photo, folder)
  console.log(`on ${backend}, ${seconds.toFixed(1)} s: ${folder}/face.glb, ${folder}/index.html`)
  console.log(`landmark error ${(100 * landmarkError).toFixed(2)} %, colour error ${colorError.toFixed(3)}`)
}
