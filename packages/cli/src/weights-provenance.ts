/** What photographs a file of weights learned from: none; frames published for research, by us; or what others used, who publish the weights under a licence of their own. */
export type LearnedFrom = 'rendered faces' | 'research photographs' | 'others'

/** Where a file of weights that ships comes from. */
export interface WeightsProvenance {
  /** Path in the repository. */
  file: string
  /** What it does. */
  use: string
  learnedFrom: LearnedFrom
  sources: string
  /** Of the file. */
  license: string
}

const FACE_API = 'npm package @vladmandic/face-api 1.7.15'
const YOUTUBE_FACES = 'frames of YouTube Faces (Wolf et al. 2011, published for research)'

/** Every file of weights and statistics that ships. docs/provenance.md is this table for people. */
export const weightsProvenance: readonly WeightsProvenance[] = [
  {
    file: 'packages/base-model/data/base-model-scans.safetensors',
    use: 'base model (default)',
    learnedFrom: 'rendered faces',
    sources:
      'samples of ICT-FaceKit (MIT; its page calls the edition non-commercial), canonical face of MediaPipe (Apache-2.0), no photograph',
    license: 'Apache-2.0 AND MIT',
  },
  {
    file: 'packages/base-model/data/head.safetensors',
    use: 'the rest of the head (--head full)',
    learnedFrom: 'rendered faces',
    sources: 'samples of ICT-FaceKit (MIT; its page calls the edition non-commercial), no photograph',
    license: 'Apache-2.0 AND MIT',
  },
  {
    file: 'packages/base-model/data/base-model.safetensors',
    use: 'base model synthetic',
    learnedFrom: 'rendered faces',
    sources: 'canonical face of MediaPipe (Apache-2.0), a Gaussian process, hand-made modes',
    license: 'Apache-2.0',
  },
  {
    file: 'packages/base-model/data/base-model-learned.safetensors',
    use: 'base model learned',
    learnedFrom: 'research photographs',
    sources: `${YOUTUBE_FACES}, canonical face of MediaPipe (Apache-2.0)`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/annotate/weights/face-detector.safetensors',
    use: 'face detector (default)',
    learnedFrom: 'others',
    sources: FACE_API,
    license: 'MIT',
  },
  {
    file: 'packages/annotate/weights/tiny-face-detector.safetensors',
    use: 'small face detector',
    learnedFrom: 'others',
    sources: FACE_API,
    license: 'MIT',
  },
  {
    file: 'packages/annotate/weights/mtcnn.safetensors',
    use: 'MTCNN',
    learnedFrom: 'research photographs',
    sources: `rendered faces, ${YOUTUBE_FACES}`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/annotate/weights/landmarks.safetensors',
    use: '68 landmarks, one of both',
    learnedFrom: 'others',
    sources: FACE_API,
    license: 'MIT',
  },
  {
    file: 'packages/annotate/weights/hourglass.safetensors',
    use: '68 landmarks, one of both',
    learnedFrom: 'research photographs',
    sources: `rendered faces, ${YOUTUBE_FACES} with Udacity's landmarks (MIT)`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/annotate/weights/dense-landmarks.safetensors',
    use: 'dense landmarks',
    learnedFrom: 'rendered faces',
    sources: 'rendered faces of the base model',
    license: 'Apache-2.0',
  },
  {
    file: 'packages/annotate/weights/segmenter.safetensors',
    use: 'pixels of the face',
    learnedFrom: 'research photographs',
    sources: `rendered faces, self-training on ${YOUTUBE_FACES}`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/annotate/weights/embedder.safetensors',
    use: 'identity embedding',
    learnedFrom: 'others',
    sources: `${FACE_API}, after dlib (CC0)`,
    license: 'MIT',
  },
  {
    file: 'packages/annotate/src/skin/skin-model.ts',
    use: 'colours of skin',
    learnedFrom: 'research photographs',
    sources: `colours of ${YOUTUBE_FACES}`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/regressor-weights/weights/regressor.safetensors',
    use: 'regressor',
    learnedFrom: 'research photographs',
    sources: `rendered faces, ${YOUTUBE_FACES}`,
    license: 'Apache-2.0',
  },
  {
    file: 'packages/regressor-weights-resnet50/weights/resnet50.safetensors',
    use: 'regressor, ResNet-50, --regressor resnet50-rendered',
    learnedFrom: 'rendered faces',
    sources: 'rendered faces',
    license: 'Apache-2.0',
  },
  {
    file: 'packages/regressor-weights-resnet50/weights/resnet50-photographs.safetensors',
    use: 'regressor, ResNet-50',
    learnedFrom: 'research photographs',
    sources: `rendered faces, ${YOUTUBE_FACES}`,
    license: 'Apache-2.0',
  },
]
