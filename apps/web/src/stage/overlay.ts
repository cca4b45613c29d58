import {
  Camera,
  type Matrix3,
  Matrix4,
  type Vector3,
  WebGLRenderTarget,
  type Group,
  type Scene,
  type WebGLRenderer,
} from 'three'
import type { PhotographView } from 'facekit'
import type { FaceMaterial } from './face-material.js'

/** Draws the face where it is in its photograph.
 *
 * @param width - of the result, pixels
 */
export function drawOverlay(
  renderer: WebGLRenderer,
  scene: Scene,
  group: Group,
  view: PhotographView,
  material: FaceMaterial,
  width: number,
): ImageData {
  const height = Math.max(1, Math.round((width * view.height) / view.width))
  const target = new WebGLRenderTarget(width, height, { samples: 4 })
  const camera = new Camera()
  camera.projectionMatrix.fromArray(view.projectionMatrix)
  camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert()
  const turn = (material.uniforms.lightTurn.value as Matrix3).clone()
  const eye = (material.uniforms.eye.value as Vector3).clone()
  const pose = new Matrix4().fromArray(view.modelMatrix)
  // In live mode the head may be turned; here it is as in the photograph.
  group.matrixAutoUpdate = false
  group.matrix.copy(pose)
  group.updateMatrixWorld(true)
  // Here directions are the light's already.
  ;(material.uniforms.lightTurn.value as Matrix3).identity()
  ;(material.uniforms.eye.value as Vector3).fromArray(view.cameraPosition)
  try {
    renderer.setRenderTarget(target)
    renderer.clear()
    renderer.render(scene, camera)
    const pixels = new Uint8Array(width * height * 4)
    renderer.readRenderTargetPixels(target, 0, 0, width, height, pixels)
    return upright(pixels, width, height)
  } finally {
    renderer.setRenderTarget(null)
    target.dispose()
    group.matrixAutoUpdate = true
    group.updateMatrix()
    group.updateMatrixWorld(true)
    ;(material.uniforms.lightTurn.value as Matrix3).copy(turn)
    ;(material.uniforms.eye.value as Vector3).copy(eye)
  }
}

/** WebGL begins at the bottom, and its colours are multiplied by alpha. */
function upright(pixels: Uint8Array, width: number, height: number): ImageData {
  const image = new ImageData(width, height)
  for (let y = 0; y < height; y++)
    image.data.set(pixels.subarray((height - 1 - y) * width * 4, (height - y) * width * 4), y * width * 4)
  for (let i = 0; i < image.data.length; i += 4) {
    const alpha = image.data[i + 3]
    if (alpha > 0 && alpha < 255)
      for (let c = 0; c < 3; c++) image.data[i + c] = (image.data[i + c] * 255) / alpha
  }
  return image
}
