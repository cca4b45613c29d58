import { FaceViewerElement } from './face-viewer-element.js'

export type { CaptureShading, FaceCapture } from './capture.js'
export { FaceViewerElement } from './face-viewer-element.js'
export type { LightPresetName } from '@facekit/illumination'
export type { LightName, LightSettings } from './lighting.js'
export type { ViewerMode } from './stage.js'
export type { Compare } from './viewer-controls.js'

// A page that loads this twice has the element once.
if (globalThis.customElements && !customElements.get('facekit-viewer'))
  customElements.define('facekit-viewer', FaceViewerElement)
