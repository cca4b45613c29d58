import { join } from 'node:path'
import { WholeHead } from '@facekit/base-model'
import {
  faceCapture,
  writeGlb,
  writeObj,
  writePly,
  writeUsdz,
  type FaceTextures,
  type PhotographedFace,
} from '@facekit/export'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceParameters } from '@facekit/parameters'
import type { ColoredMesh } from '../render/read-face-mesh.js'
import { faceRig, readNeutralMesh } from './face-rig.js'
import type { HeadExtent } from './head-extent.js'

/** Formats of a face's mesh. */
export const meshFormats = ['glb', 'obj', 'ply', 'usdz'] as const
export type MeshFormat = (typeof meshFormats)[number]
/** Those that every reconstruction writes. */
export const usualFormats: readonly MeshFormat[] = ['glb', 'obj', 'ply']

/** What is written of one face. */
export interface MeshFiles {
  model: MorphableModel
  parameters: FaceParameters
  /** With the expression, without the pose. */
  posed: ColoredMesh
  textures: FaceTextures | undefined
  /** How it was photographed, for the GLB to say. */
  photographed?: PhotographedFace
  folder: string
  formats: ReadonlySet<MeshFormat>
  /** Default 'face'. */
  head?: HeadExtent
}

/** Writes a face's meshes: a GLB that can be driven, showing the expression at first, OBJ and PLY both with the expression and at rest, and USDZ with the expression.
 *
 * @returns names of the files
 */
export async function writeMeshes(face: MeshFiles, signal: AbortSignal): Promise<string[]> {
  const { model, parameters, folder, formats } = face
  const files: string[] = []
  const faceOnly = await faceRig(model, parameters)
  const atRest = faceOnly?.neutral ?? (await readNeutralMesh(model, parameters))
  const whole = face.head === 'full' ? await WholeHead.of(model, atRest) : undefined
  const rig = faceOnly && formats.has('glb') && whole ? whole.rig(faceOnly) : faceOnly
  const neutral = whole ? whole.mesh(atRest) : atRest
  const posed = whole ? whole.mesh(face.posed) : face.posed
  const textures = face.textures && whole ? whole.textures(face.textures) : face.textures
  const maps = textures && { textures }
  const { name, license } = model
  if (formats.has('glb')) {
    const extras = { model: name, license, generator: 'facekit' }
    const driven = rig && { targets: rig.targets, weights: rig.weights, skin: rig.skin }
    const capture = face.photographed && faceCapture(face.photographed, { textures })
    const options = { ...maps, ...driven, extras, ...(capture && { capture }) }
    await writeGlb(rig ? rig.neutral : posed, join(folder, 'face.glb'), options)
    files.push('face.glb')
  }
  signal.throwIfAborted()
  if (formats.has('obj')) {
    files.push(...(await writeObj(posed, join(folder, 'face.obj'), maps)))
    files.push(...(await writeObj(neutral, join(folder, 'face-neutral.obj'), { ...maps, materials: 'face' })))
  }
  signal.throwIfAborted()
  if (formats.has('ply')) {
    await writePly(posed, join(folder, 'face.ply'))
    await writePly(neutral, join(folder, 'face-neutral.ply'))
    files.push('face.ply', 'face-neutral.ply')
  }
  signal.throwIfAborted()
  if (formats.has('usdz')) {
    await writeUsdz(posed, join(folder, 'face.usdz'), { ...maps, extras: { model: name, license } })
    files.push('face.usdz')
  }
  return files
}
