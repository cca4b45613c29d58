import type { Annotator } from '@facekit/dataset'
import type { BackendName } from '@facekit/engine'

/** How faces are looked for; decides which labels come out. */
export interface AnnotateSettings {
  backend: BackendName
  size: number
  minScore: number
  maxFaces?: number
  detector?: 'accurate' | 'fast'
  segmenter?: 'network' | 'landmarks'
}

/** Starts a backend and gives what labels a picture on it.
 *
 * @throws {BackendError} when the backend does not work here
 */
export async function createAnnotator(settings: unknown): Promise<Annotator> {
  const { backend, ...options } = settings as AnnotateSettings
  const { initEngine } = await import('@facekit/engine')
  const { annotate } = await import('@facekit/annotate')
  // Pictures are what is shared between the cores: that scales better than parts of one picture's work.
  await initEngine({ backend, threads: 1 })
  return (picture) => annotate(picture, options)
}
