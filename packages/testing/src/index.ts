export { checkGradient, type CheckGradientOptions } from './check-gradient.js'
export { testBackends, useBackend, type TestBackend } from './backends.js'
export { expectNoLeak } from './expect-no-leak.js'
export { createTinyFace, type TinyFaceOptions } from './tiny-face.js'
