import { ValueError } from '@facekit/core'
import type { FaceParametersInput } from '@facekit/parameters'
import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
import { antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { clone, tidy, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertParameters } from './assert-parameters.js'
import { assertView, defaultCamera, type Camera, type PictureSize } from './camera.js'
import { composePictures, type Background } from './compose-pictures.js'
import type { FaceRendering } from './face-rendering.js'
import { faceMesh } from './face-mesh.js'
import { lightSurface } from './light-surface.js'
import { packChannels } from './pack-channels.js'
import { placeFace } from './place-face.js'
import type { Contour } from './project-landmarks.js'
import { projectVertices } from './project-vertices.js'
import { shadePixels } from './shade-pixels.js'
import { surfaceChannels } from './surface-channels.js'

/** Options of `renderFace`. */
export interface RenderFaceOptions {
  /** W of the pictures, pixels. Default 224. */
  width?: number
  /** H of the pictures, pixels. Default: as `width`. */
  height?: number
  /** Default `defaultCamera`. */
  camera?: Camera
  /** Whether the jaw landmarks slide along the outline that is seen. Default `'fixed'`. */
  contour?: Contour
  /** What `image` shows beside the face and in the mouth, encoded 0..1. Default black. */
  background?: Background
  /** Where light is computed: at the vertices, as in the paper, or, slower and finer, at each pixel. Default `'vertex'`. */
  shading?: 'vertex' | 'pixel'
  /** `'operations'` composes everything of single operations: slow, and what the fused kernels of the CPU, WASM and WebGPU are tested
   * against; on other backends there is nothing else. Default `'fused'`. */
  implementation?: 'fused' | 'operations'
  /** Whether outlines are smoothed, which is what gives them a gradient. Default true. */
  antialias?: boolean
  /** An earlier rendering of the same shape and pose by the same camera in the same size: only light and colours are computed again, and shape and pose
   * have no gradient. */
  geometry?: FaceGeometry | undefined
}

/** What of a rendering depends on shape and pose alone. */
export type FaceGeometry = Pick<FaceRendering, 'vertices' | 'normals' | 'landmarks' | 'fragments'>

/** Renders faces: Eq. 1 and 2 for shape and albedo, Eq. 3 for the pose, a fixed camera, Eq. 4 and 5 for the light.
 *
 * Light is computed in linear RGB, at the vertices, spread over the pixels, smoothed at outlines, and encoded with gamma
 * 1/2.2. The inner mouth is a hole in the face: it is black (or background) in the pictures and 1 in `innerMouth`.
 *
 * @param model - of `loadBaseModel`, `loadMorphableModel`, ...
 * @param parameters - all with the same batch size B
 * @returns pictures `[B, H, W, ...]`, landmarks, vertices; see `FaceRendering`
 * @differentiable every parameter, through image, diffuse, specular, mask, innerMouth, landmarks, vertices, normals and
 * litDiffuse; at outlines only with `antialias`; not through `fragments.triangleIds` and `fragments.depth`.
 * What lies behind the camera is not drawn; its landmarks are finite and far outside
 * @memory the caller owns all results (`tf.dispose(rendering)`); the model's bases stay until `disposeModel(model)`
 * @throws {ShapeError} when the parameters do not fit the model or each other
 * @throws {ValueError} when an option is out of range
 * @example
 * const model = await loadBaseModel()
 * const rendering = renderFace(model, neutralParameters(model.layout))
 * rendering.image // [1, 224, 224, 3]
 */
export function renderFace(
  model: MorphableModel,
  parameters: FaceParametersInput,
  options: RenderFaceOptions = {},
): FaceRendering {
  const { width = 224, height = width, camera = defaultCamera, contour = 'fixed', background = 0 } = options
  const { shading = 'vertex', implementation = 'fused', antialias: useAntialias = true } = options
  const size = { width, height }
  assertParameters('renderFace', model, parameters)
  assertView('renderFace', camera, size)
  if (shading !== 'vertex' && shading !== 'pixel') {
    throw new ValueError(`renderFace: shading is ${String(shading)}, expected 'vertex' or 'pixel'`)
  }
  if (implementation !== 'fused' && implementation !== 'operations') {
    throw new ValueError(
      `renderFace: implementation is ${String(implementation)}, expected 'fused' or 'operations'`,
    )
  }
  const fused = implementation === 'fused'
  return tidy(() => {
    const { pose, illumination } = parameters
    const { triangles, faceTriangles, topology } = faceMesh(model)
    const place = () => {
      const shape = evaluateShape(model, parameters) // [B, N, 3]
      const placed = placeFace(shape, pose, { ...size, model, camera, contour }, fused)
      return { ...placed, fragments: rasterize(placed.clip, triangles, size) }
    }
    const placed = options.geometry ? placedAgain(options.geometry, camera, size) : place()
    const { vertices, clip, normals, landmarks, fragments } = placed
    const surface = { ...evaluateAlbedo(model, parameters.albedo), normals, positions: vertices }
    const { shaded, litDiffuse } = lightSurface(surface, illumination, camera, fused) // [B, N, 6], [B, N, 3]
    const spread = (attributes: Tensor) => interpolate(attributes as Tensor3D, fragments, triangles)
    const { diffuse, specular } = surface
    const colors = // [B, H, W, 6]
      shading === 'vertex'
        ? spread(shaded)
        : shadePixels(
            spread(packChannels([diffuse, specular, normals, vertices])),
            illumination,
            camera,
            fused,
          )
    const sharp = surfaceChannels(colors, fragments.triangleIds, faceTriangles, fused) // [B, H, W, 8]
    const smooth = useAntialias ? antialias(sharp, fragments, clip, topology) : sharp
    return {
      ...composePictures(smooth, background, fused),
      landmarks,
      vertices,
      normals,
      litDiffuse,
      fragments: { ...fragments },
    }
  })
}

/** A given geometry as tensors of its own, which the caller of `renderFace` may dispose with the rendering. */
function placedAgain({ fragments, ...placed }: FaceGeometry, camera: Camera, size: PictureSize) {
  const { triangleIds, barycentrics, depth } = fragments
  const vertices = clone(placed.vertices)
  return {
    vertices,
    clip: projectVertices(vertices, camera, size),
    normals: clone(placed.normals),
    landmarks: clone(placed.landmarks),
    fragments: {
      triangleIds: clone(triangleIds),
      barycentrics: clone(barycentrics),
      depth: clone(depth),
    },
  }
}
