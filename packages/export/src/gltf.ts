export { Document, WebIO } from '@gltf-transform/core'
export { KHRMaterialsSpecular } from '@gltf-transform/extensions'
