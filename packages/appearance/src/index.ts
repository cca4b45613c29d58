export { createFaceTextures, type FaceAppearance, type FaceTexturesOptions } from './create-face-textures.js'
export type { PhotographFit } from './seen-face.js'
