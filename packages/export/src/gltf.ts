export { Document, WebIO } from '@gltf-transform/core'
export { KHRMaterialsIOR, KHRMaterialsSpecular } from '@gltf-transform/extensions'
