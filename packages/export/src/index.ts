export { bakeTexture, type BakeTextureOptions } from './bake-texture.js'
export { decodeSrgb, encodeSrgb } from './color-encoding.js'
export { composePanels } from './compose-panels.js'
export { encodeGlb, writeGlb, type GlbOptions } from './gltf/encode-glb.js'
export type { FaceSkin, SkinJoint } from './gltf/face-skin.js'
export type { MorphOptions, MorphTarget } from './gltf/morph-targets.js'
export { encodeObj, writeObj, type ObjOptions } from './encode-obj.js'
export { encodeUsdz, writeUsdz, type UsdzOptions } from './usd/encode-usdz.js'
export { encodePly, writePly } from './encode-ply.js'
export {
  encodePng,
  ownPictureText,
  writePng,
  type EncodePngOptions,
  type PictureArray,
} from './encode-png.js'
export { faceCapture, type CaptureShading, type FaceCapture, type PhotographedFace } from './face-capture.js'
export type { FaceMesh } from './face-mesh.js'
export {
  bakeFaceTextures,
  DISPLACEMENT_RANGE,
  encodeFaceTextures,
  encodeShading,
  SHADING_RANGE,
  shadingFactor,
  type FaceTextures,
  type LinearTextures,
} from './face-textures.js'
export type { Values } from './flat-values.js'
export { meshNormals } from './mesh-normals.js'
export { drawText, GLYPH_ADVANCE, GLYPH_HEIGHT } from './panel-font.js'
export { roughnessFromShininess } from './roughness.js'
export { encodeViewer, writeHtmlReport, type ViewerScene } from './encode-viewer.js'
export { readFaceTextures } from './read-face-textures.js'
export { encodeNpz, type NpzArray } from './encode-npz.js'
export type { FaceAnimation } from './gltf/face-animation.js'
export { poseMotion, type FacePose } from './gltf/pose-motion.js'
