/** What pixels of a picture of a face show, by label: the 19 classes of CelebAMask-HQ in its order, `faceLabels[2]` is `'nose'`.
 *
 * Source: C.-H. Lee et al., "MaskGAN: Towards Diverse and Interactive Facial Image Manipulation", CVPR 2020. Left and right are the subject's. */
export const faceLabels = [
  'background',
  'skin',
  'nose',
  'eye_g',
  'l_eye',
  'r_eye',
  'l_brow',
  'r_brow',
  'l_ear',
  'r_ear',
  'mouth',
  'u_lip',
  'l_lip',
  'hair',
  'hat',
  'ear_r',
  'neck_l',
  'neck',
  'cloth',
] as const

/** Name of a class of `faceLabels`. */
export type FaceLabel = (typeof faceLabels)[number]

/** Number of a class: its place in `faceLabels`.
 *
 * @example labelOf('nose') // 2
 */
export const labelOf = (name: FaceLabel): number => faceLabels.indexOf(name)
