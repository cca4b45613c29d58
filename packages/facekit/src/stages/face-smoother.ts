import type { TrackedFace } from '@facekit/fit'
import { OneEuroFilter } from '1eurofilter'

/** What is smoothed: how fast it may tremble (Hz), and how much less it is smoothed while it moves (Hz for one unit a second). */
const SETTINGS = {
  rotation: [1.2, 4],
  translation: [1.2, 0.05],
  scale: [1, 4],
  expression: [2, 2],
} as const
/** Pictures a second that the filters expect; the times of the pictures correct it. */
const RATE = 15

/** Takes the tremble of a face in a video away without making it late (Casiez, Roussel, Vogel, "1 Euro Filter", CHI 2012). */
export class FaceSmoother {
  readonly #filters = new Map<string, OneEuroFilter>()

  /** @param time - seconds; grows */
  next(face: TrackedFace, time: number): Pick<TrackedFace, keyof typeof SETTINGS> {
    const smooth = (name: keyof typeof SETTINGS, value: number, k: number) => {
      const key = `${name} ${k}`
      let filter = this.#filters.get(key)
      if (!filter) this.#filters.set(key, (filter = new OneEuroFilter(RATE, ...SETTINGS[name])))
      return filter.filter(value, time)
    }
    const all = (name: 'rotation' | 'translation') =>
      face[name].map((value, k) => smooth(name, value, k)) as [number, number, number]
    return {
      rotation: all('rotation'),
      translation: all('translation'),
      scale: smooth('scale', face.scale, 0),
      expression: face.expression.map((value, k) => smooth('expression', value, k)),
    }
  }
}
