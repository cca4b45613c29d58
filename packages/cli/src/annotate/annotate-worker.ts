import { runLabelWorker } from '@facekit/dataset'
import { createAnnotator } from './annotate-pictures.js'

// A process of `facekit annotate`; see labelFolder of @facekit/dataset.
runLabelWorker(createAnnotator)
