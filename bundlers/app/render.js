// An app that only renders: no reader of model files may come along.
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { neutralParameters } from '@facekit/parameters'
import { renderFace } from '@facekit/render'

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
renderFace(model, neutralParameters(model.layout), { width: 64, height: 64 })
