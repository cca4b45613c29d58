import { FacekitError, ModelFormatError, ShapeError } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import { readFaceMeshGraph } from './face-mesh-graph.js'

/** Width and height of the picture that the network takes. */
export const FACE_MESH_INPUT = 192
/** Points of the dense face mesh. */
export const FACE_MESH_POINTS = 468

/** Finds the 468 points of MediaPipe's face mesh in pictures of one face each. */
export interface FaceMeshNetwork {
  /** @param images - `[B, 192, 192, 3]` encoded, 0..1
   * @returns `points` `[B, 468, 3]`: x, y in pixels of the input, y down, z in the same unit, away from the camera;
   * `score` `[B]`: how sure the network is that this is a face, 0..1 */
  predict(images: tf.Tensor4D): Promise<{ points: Float32Array; scores: Float32Array }>
  dispose(): void
}

/** Options of `loadFaceMesh`. */
export interface LoadFaceMeshOptions {
  /** Folder with `facemesh.json` and `facemesh.bin`: a path, or a URL. Default: `models` of `@vladmandic/human`. */
  models?: string | URL
}

/** Loads the 468-point face mesh of `@vladmandic/human` (MIT; an optional peer: `npm install @vladmandic/human`) on the
 * current backend. Only its weights are read; none of its code runs.
 *
 * @throws {FacekitError} when `@vladmandic/human` is not installed
 * @throws {ModelFormatError} when its files are damaged or of another kind
 */
export async function loadFaceMesh(options: LoadFaceMeshOptions = {}): Promise<FaceMeshNetwork> {
  const folder = options.models === undefined ? await humanModels() : String(options.models)
  const [json, weights] = await Promise.all(
    ['facemesh.json', 'facemesh.bin'].map((file) => readBytes(`${folder.replace(/\/$/, '')}/${file}`)),
  )
  const graph = readFaceMeshGraph(new TextDecoder().decode(json), weights, 'facemesh.json')
  return {
    async predict(images) {
      if (images.rank !== 4 || images.shape.slice(1).join() !== `${FACE_MESH_INPUT},${FACE_MESH_INPUT},3`) {
        throw new ShapeError(
          `FaceMeshNetwork: images are [${images.shape}], expected [B, ${FACE_MESH_INPUT}, ${FACE_MESH_INPUT}, 3]; use cropFaceMesh`,
        )
      }
      const [mesh, flag] = tf.tidy(() => [graph.run(images, 'Identity_2'), graph.run(images, 'Identity_1')])
      const [points, scores] = await Promise.all([mesh.data(), flag.data()])
      tf.dispose([mesh, flag])
      return { points: points as Float32Array, scores: scores as Float32Array }
    },
    dispose: () => graph.dispose(),
  }
}

/** The folder `models` of @vladmandic/human, from here or from where the program runs. */
async function humanModels(): Promise<string> {
  const { createRequire } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:module')
  const { dirname, join } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:path')
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return join(dirname(createRequire(from).resolve('@vladmandic/human')), '../models')
    } catch {
      // Not installed there.
    }
  }
  throw new FacekitError(
    'loadFaceMesh: @vladmandic/human is not installed, and its face mesh finds the dense landmarks; npm install @vladmandic/human',
  )
}

async function readBytes(address: string): Promise<Uint8Array> {
  try {
    if (/^(https?|data|blob):/.test(address)) {
      const response = await fetch(address)
      if (!response.ok) throw new Error(`status ${response.status}`)
      return new Uint8Array(await response.arrayBuffer())
    }
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
    return await readFile(address.startsWith('file:') ? new URL(address) : address)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ModelFormatError(
      `loadFaceMesh: cannot read ${address} (${why}); install @vladmandic/human, or pass { models }: its folder models`,
      { cause: error },
    )
  }
}
