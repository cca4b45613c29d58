import { ValueError } from '@facekit/core'
import type { LabelledFace } from './dense-landmarks.js'
import type { FaceMeshNetwork } from './face-mesh-network.js'
import type { LearningTemplate } from './learning-template.js'
import { ObservationCache } from './observation-cache.js'
import { observeFaces, type FaceObservation } from './observe-faces.js'

/** A photograph to learn from. */
export interface LearningPhotograph {
  /** Names the photograph and its version, e.g. file name, size and time: what was seen in it is kept under this key. */
  key: string
  /** Photographs with the same clip, e.g. frames of one video, count as one observation; default: each for itself. */
  clip?: string
  /** Reads and labels it; nothing when no usable face is in it. */
  read(): Promise<LabelledFace | undefined>
}

/** Photographs of one person. */
export interface LearningPerson {
  name: string
  photographs: readonly LearningPhotograph[]
}

/** What was seen of one person. */
export interface ObservedPerson {
  name: string
  faces: (FaceObservation & { clip: string })[]
}

const BATCH = 12

/** Sees all photographs, person by person, or takes from the cache what was seen before. */
export async function observePeople(
  people: readonly LearningPerson[],
  template: LearningTemplate,
  network: () => Promise<FaceMeshNetwork>,
  options: { cache?: string; signal?: AbortSignal; onPerson?: (done: number) => void },
): Promise<ObservedPerson[]> {
  const names = new Set(people.map(({ name }) => name))
  if (names.size !== people.length)
    throw new ValueError(
      'learnFaceModel: two people have the same name; give each person a name of their own',
    )
  const cache =
    options.cache === undefined ? undefined : new ObservationCache(options.cache, template.skinEnd)
  const seen: ObservedPerson[] = []
  for (const { name, photographs } of people) {
    options.signal?.throwIfAborted()
    const keys = photographs.map(({ key }) => key)
    let observations = await cache?.read(name, keys)
    if (!observations) {
      observations = []
      for (let start = 0; start < photographs.length; start += BATCH) {
        options.signal?.throwIfAborted()
        const faces = await Promise.all(photographs.slice(start, start + BATCH).map((p) => p.read()))
        const usable = faces.filter((face) => face !== undefined)
        const found = usable.length > 0 ? await observeFaces(await network(), template, usable) : []
        let next = 0
        observations.push(...faces.map((face) => (face ? found[next++] : null)))
      }
      await cache?.write(name, keys, observations)
    }
    seen.push({
      name,
      faces: observations.flatMap((observation, i) =>
        observation ? [{ ...observation, clip: photographs[i].clip ?? photographs[i].key }] : [],
      ),
    })
    options.onPerson?.(seen.length)
  }
  return seen
}
