import type { FaceRig } from '@facekit/base-model'
import { arkitTargets, faceJoints, type MorphableModel } from '@facekit/morphable'
import { arkitModes, arkitWeights, type FaceParameters } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'
import { readFaceMesh, type ColoredMesh } from '../render/read-face-mesh.js'

/** Whether a model's expressions are those of ARKit by their names: what else it may have, no program knows how to drive. */
export function canBeDriven(model: MorphableModel): boolean {
  const modes = arkitModes(model.shape.expressionNames ?? [])
  return modes.filter((list) => list.length > 0).length >= 40
}

/** The rig of one face; undefined for a model whose expressions have no names that ARKit knows. */
export async function faceRig(
  model: MorphableModel,
  parameters: FaceParameters,
): Promise<FaceRig | undefined> {
  if (!canBeDriven(model)) return undefined
  const neutral = await readNeutralMesh(model, parameters)
  const expression = await parameters.expression.data()
  return {
    neutral,
    targets: arkitTargets(model),
    weights: arkitWeights(expression, model.shape.expressionNames ?? []),
    skin: faceJoints(model, neutral.vertices),
  }
}

/** The mesh of one face at rest: without its expression and its pose. */
export async function readNeutralMesh(
  model: MorphableModel,
  parameters: FaceParameters,
): Promise<ColoredMesh> {
  const expression = tf.zerosLike(parameters.expression)
  try {
    return await readFaceMesh(model, { ...parameters, expression })
  } finally {
    expression.dispose()
  }
}
