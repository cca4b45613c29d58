import { faceLabels, type FaceLabel } from '@facekit/core'

/** What of the classes is face as `FaceAnnotation.faceRegion` means it: skin, nose, eyes, brows and lips. Ears, glasses (lenses too) and the
 * opening of the mouth are not. */
export const faceClasses: readonly FaceLabel[] = [
  'skin',
  'nose',
  'l_eye',
  'r_eye',
  'l_brow',
  'r_brow',
  'u_lip',
  'l_lip',
]

/** The label that each label has in a mirror: left and right change places. */
export const mirroredLabels: readonly number[] = faceLabels.map((name) => {
  const other = name.replace(/^[lr]_(?=eye|brow|ear)/, (side) => (side === 'l_' ? 'r_' : 'l_'))
  return faceLabels.indexOf(other as FaceLabel)
})
