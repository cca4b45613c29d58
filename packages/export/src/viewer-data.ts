import type { FaceCapture } from './face-capture.js'

/** What the page's script reads, as JSON. */
export interface ViewerData {
  /** The face as a .glb file, in base64. */
  glb: string
  /** How it was photographed, as `<facekit-viewer>` takes it. */
  capture: FaceCapture
}
