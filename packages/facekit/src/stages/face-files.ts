import { WholeHead, type FaceRig, type PlainFaceMesh } from '@facekit/base-model'
import { encodeGlb, encodeUsdz, faceCapture, type FaceTextures } from '@facekit/export'
import { arkitTargets, faceJoints, type MorphableModel } from '@facekit/morphable'
import { arkitModes, arkitWeights } from '@facekit/parameters'
import type { FaceDocument } from '../face-document.js'
import type { HeadExtent } from '../options.js'
import { faceGeometry, vertexColors, type FaceNumbers } from './face-shape.js'

/** A face with all that files hold of it. */
export interface FileFace {
  numbers: FaceNumbers
  model: MorphableModel
  textures: FaceTextures
  parameters: FaceDocument
  head: HeadExtent
}

/** With fewer of ARKit's expressions a model is not one that programs know how to drive. */
const LEAST_EXPRESSIONS = 40

/** A face as binary glTF.
 *
 * @param options - `rig`: at rest with blend shapes and joints, the expression as their weights at first; else a mesh that has the expression. Models whose
 * expressions are not ARKit's have no rig.
 */
export async function faceGlb(face: FileFace, { rig }: { rig: boolean }): Promise<Uint8Array> {
  const { model, numbers, parameters } = face
  const atRest = await meshOf({ ...numbers, expression: new Float32Array(numbers.expression.length) }, model)
  const { whole, textures } = await headOf(face, atRest)
  const extras = { model: parameters.model.name, license: parameters.model.license, generator: 'facekit' }
  const { camera, pose, illumination } = parameters
  const light = { ...illumination, sphericalHarmonics: illumination.sphericalHarmonics.flat() }
  const capture = faceCapture({ camera, pose, illumination: light }, { textures })
  const driven = rig ? rigOf(face, atRest) : undefined
  if (!driven) {
    const mesh = await meshOf(numbers, model)
    return encodeGlb(whole ? whole.mesh(mesh) : mesh, { textures, extras, capture })
  }
  const { neutral, targets, weights, skin } = whole ? whole.rig(driven) : driven
  return encodeGlb(neutral, { textures, extras, capture, targets, weights, skin })
}

/** A face with its expression as USDZ. */
export async function faceUsdz(face: FileFace): Promise<Uint8Array> {
  const { model, numbers, parameters } = face
  const mesh = await meshOf(numbers, model)
  const atRest =
    face.head === 'full'
      ? await meshOf({ ...numbers, expression: new Float32Array(numbers.expression.length) }, model)
      : mesh
  const { whole, textures } = await headOf(face, atRest)
  const { name, license } = parameters.model
  return encodeUsdz(whole ? whole.mesh(mesh) : mesh, { textures, extras: { model: name, license } })
}

async function meshOf(numbers: FaceNumbers, model: MorphableModel) {
  return {
    ...(await faceGeometry(numbers, model, undefined)),
    ...(await vertexColors(numbers, model)),
    shininess: numbers.illumination.shininess[0],
  }
}

async function headOf({ model, textures, head }: FileFace, atRest: PlainFaceMesh) {
  if (head === 'face') return { whole: undefined, textures }
  const whole = await WholeHead.of(model, atRest)
  return { whole, textures: whole.textures(textures) }
}

function rigOf({ model, numbers }: FileFace, neutral: PlainFaceMesh): FaceRig | undefined {
  const names = model.shape.expressionNames ?? []
  if (arkitModes(names).filter((modes) => modes.length > 0).length < LEAST_EXPRESSIONS) return undefined
  return {
    neutral,
    targets: arkitTargets(model),
    weights: arkitWeights(numbers.expression, names),
    skin: faceJoints(model, neutral.vertices),
  }
}
