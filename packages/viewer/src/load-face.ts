import { ModelFormatError } from '@facekit/core'
import { Box3, Group, type Mesh, type Object3D, type Material, type Texture } from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import type { FaceCapture } from './capture.js'
import { checkCapture } from './capture.js'
import { checkGlb } from './check-glb.js'
import { EmbeddedTextures } from './embedded-textures.js'
import { createFaceMaterial, type FaceMaterial, type SharedUniforms } from './face-material.js'

/** A face that was read from a file, ready to be drawn. */
export interface LoadedFace {
  root: Group
  materials: FaceMaterial[]
  /** Names of the morph targets, in the order of the file. */
  morphNames: string[]
  /** Their weights as the file has them. */
  morphWeights: Record<string, number>
  hasUncertainty: boolean
  /** What the file says about its photograph, if it does. */
  capture?: FaceCapture
  /** Bounds in the space of `root`, metres, at rest. */
  bounds: Box3
  setMorph(name: string, weight: number): void
  dispose(): void
}

/** Reads a binary glTF.
 *
 * @throws {ModelFormatError} when the file cannot be read, or holds no mesh
 */
export async function loadFace(bytes: ArrayBuffer, shared: SharedUniforms): Promise<LoadedFace> {
  checkGlb(bytes)
  const loader = new GLTFLoader().register((parser) => new EmbeddedTextures(parser))
  const gltf = await loader.parseAsync(bytes, '').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ModelFormatError(`facekit-viewer: the file cannot be read: ${reason}`, { cause })
  })
  const root = new Group().add(gltf.scene)
  const meshes: Mesh[] = []
  root.traverse((object) => {
    if ((object as Mesh).isMesh) meshes.push(object as Mesh)
  })
  if (meshes.length === 0) throw new ModelFormatError('facekit-viewer: the file holds no mesh')
  root.updateWorldMatrix(true, true)
  const bounds = new Box3().setFromObject(root, true)
  if (bounds.isEmpty() || ![...bounds.min.toArray(), ...bounds.max.toArray()].every(Number.isFinite))
    throw new ModelFormatError('facekit-viewer: the file has positions that are not finite numbers')

  const made = new Map<Material, FaceMaterial>()
  const weights: Record<string, number> = {}
  for (const mesh of meshes) {
    const original = mesh.material as Material
    const hasUncertainty = mesh.geometry.hasAttribute('_uncertainty')
    const material = made.get(original) ?? createFaceMaterial(original, shared, hasUncertainty)
    made.set(original, material)
    mesh.material = material
    // Morph targets and bones move vertices out of the bounds at rest.
    mesh.frustumCulled = false
    for (const [name, index] of Object.entries(mesh.morphTargetDictionary ?? {}))
      weights[name] ??= mesh.morphTargetInfluences?.[index] ?? 0
  }
  return {
    root,
    materials: [...made.values()],
    morphNames: Object.keys(weights),
    morphWeights: weights,
    hasUncertainty: meshes.some(({ geometry }) => geometry.hasAttribute('_uncertainty')),
    capture: findCapture(gltf.scene),
    bounds,
    setMorph(name, weight) {
      for (const { morphTargetDictionary, morphTargetInfluences } of meshes) {
        const index = morphTargetDictionary?.[name]
        if (index !== undefined && morphTargetInfluences) morphTargetInfluences[index] = weight
      }
    },
    dispose() {
      for (const { geometry } of meshes) geometry.dispose()
      for (const [original, material] of made) {
        for (const value of Object.values(original)) closeTexture(value)
        original.dispose()
        material.dispose()
      }
    },
  }
}

function closeTexture(value: unknown): void {
  const texture = value as Texture | null
  if (!texture?.isTexture) return
  ;(texture.image as ImageBitmap | undefined)?.close?.()
  texture.dispose()
}

/** Looks for `extras.facekit.capture` of a node or the scene. A file may say anything there: what does not fit is not there. */
function findCapture(scene: Object3D): FaceCapture | undefined {
  let capture: FaceCapture | undefined
  scene.traverse(({ userData }) => {
    const found = userData.facekit?.capture
    if (!found || capture) return
    try {
      capture = checkCapture(found)
    } catch {
      // Shown as a file that says nothing.
    }
  })
  return capture
}
