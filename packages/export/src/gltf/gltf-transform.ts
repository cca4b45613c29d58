export { Document, Logger, WebIO } from '@gltf-transform/core'
export { KHRMaterialsIOR, KHRMaterialsSpecular, KHRMeshQuantization } from '@gltf-transform/extensions'
