import type { MorphableModel } from '@facekit/morphable'
import type { Camera, FaceGeometry } from '@facekit/render'
import type { EyeWhites } from './eye-whites.js'
import type { FaceUnknowns } from './face-unknowns.js'
import type { Highlight } from './find-highlight.js'
import { initialLight } from './initial-light.js'
import { settleTone } from './settle-tone.js'
import type { CropTensors } from './stack-crops.js'

/** Lamps that are found are put this far away, mm. */
const LAMP_DISTANCE = 1200

/** What light and albedo are estimated for. */
interface LightStage {
  values: Float64Array
  unknowns: FaceUnknowns
  model: MorphableModel
  crops: CropTensors
  camera: Camera
  /** Whether the point light stays where it is. */
  keepLamp?: boolean
}

/** Estimates light and albedo; several photographs share the mean of their albedos.
 *
 * @returns the whites of the eyes in each photograph
 */
export async function storeLight(
  { values, unknowns, model, crops, camera, keepLamp }: LightStage,
  { fragments: { triangleIds, barycentrics }, vertices, normals }: FaceGeometry,
): Promise<(EyeWhites | undefined)[]> {
  const surface = { triangleIds, barycentrics, vertices, normals, cameraDistance: camera.distance }
  const allWhites: (EyeWhites | undefined)[] = []
  const batch = crops.inputImage.shape[0]
  const [start, end] = unknowns.range('albedo')
  values.fill(0, start, end)
  for (let i = 0; i < batch; i++) {
    const { sphericalHarmonics, albedo, highlight, whites } = await initialLight(model, surface, crops, i)
    values.set(sphericalHarmonics, unknowns.range('sphericalHarmonics', i)[0])
    for (let k = start; k < end; k++) values[k] += albedo[k - start] / batch
    if (highlight && !keepLamp) storeHighlight(values, unknowns, i, highlight)
    allWhites.push(whites)
  }
  return allWhites
}

function storeHighlight(
  values: Float64Array,
  unknowns: FaceUnknowns,
  picture: number,
  { direction, strength, shininess }: Highlight,
): void {
  values.set(
    direction.map((value) => value * LAMP_DISTANCE),
    unknowns.range('lightPosition', picture)[0],
  )
  values.fill(unknowns.encode('lightColor', strength), ...unknowns.range('lightColor', picture))
  values.fill(unknowns.encode('shininess', shininess), ...unknowns.range('shininess', picture))
}

/** `settleTone` on the unknowns. */
export function storeTone(
  values: Float64Array,
  unknowns: FaceUnknowns,
  model: MorphableModel,
  whites: readonly (EyeWhites | undefined)[],
): void {
  settleTone(
    model,
    values.subarray(...unknowns.range('albedo')),
    whites.map((found, i) => ({
      sphericalHarmonics: values.subarray(...unknowns.range('sphericalHarmonics', i)),
      whites: found,
    })),
  )
}
