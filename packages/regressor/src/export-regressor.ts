import { ValueError, writeFileAtomic } from '@facekit/core'
import { io } from '@tensorflow/tfjs-core'
import type { FaceRegressor } from './face-regressor.js'
import { describeRegressor } from './regressor-metadata.js'

const WEIGHTS = 'group1-shard1of1.bin'

/** Writes a regressor as a tfjs layers model, `model.json` and its weights, for `tf.loadLayersModel`, tensorflowjs_converter and `loadRegressor`:
 * `[B, S, S, 3]` of 0..1 to `[B, P]`, of which `parametersOfOutputs` makes a face. Node only; in browsers use `regressor.model.save`.
 *
 * @param folder - is made where it is missing
 * @throws the file system's own error
 */
export async function exportRegressor(regressor: FaceRegressor, folder: string): Promise<void> {
  const { mkdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  await mkdir(folder, { recursive: true })
  const handler = io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    if (!(weightData instanceof ArrayBuffer))
      throw new ValueError('exportRegressor: weights in several parts')
    const json = {
      format: 'layers-model',
      generatedBy: 'facekit',
      convertedBy: null,
      modelTopology,
      userDefinedMetadata: describeRegressor(regressor),
      weightsManifest: [{ paths: [WEIGHTS], weights: weightSpecs }],
    }
    await writeFileAtomic(`${folder}/${WEIGHTS}`, new Uint8Array(weightData))
    await writeFileAtomic(`${folder}/model.json`, JSON.stringify(json))
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } }
  })
  await regressor.model.save(handler)
}
