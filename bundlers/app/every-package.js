// Every export of the packages that have a part for Node, so that no bundler may drop it.
import * as annotate from '@facekit/annotate'
import * as dataset from '@facekit/dataset'
import * as exporting from '@facekit/export'
import * as fit from '@facekit/fit'
import * as trainer from '@facekit/trainer'

const count = (module) => Object.values(module).filter((value) => value !== undefined).length

export const packages = [annotate, dataset, exporting, fit, trainer].map(count)
