import { faceLabels, type FaceLabel } from '@facekit/core'

/** Names of the 19 classes of CelebAMask-HQ, by label: `celebaMaskClasses[2]` is `'nose'`; `faceLabels` of @facekit/core. */
export const celebaMaskClasses = faceLabels

/** Name of a class of CelebAMask-HQ. */
export type CelebaMaskClass = FaceLabel

/** What of the classes is face as `FaceAnnotation.faceRegion` means it: skin, nose, eyes, brows and lips. Ears, glasses (lenses too) and the
 * opening of the mouth are not. */
export const faceClasses: readonly CelebaMaskClass[] = [
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
export const mirroredLabels: readonly number[] = celebaMaskClasses.map((name) => {
  const other = name.replace(/^[lr]_(?=eye|brow|ear)/, (side) => (side === 'l_' ? 'r_' : 'l_'))
  return celebaMaskClasses.indexOf(other as CelebaMaskClass)
})

/** Label of a class. */
export const labelOf = (name: CelebaMaskClass): number => celebaMaskClasses.indexOf(name)
