import { prepare, reconstruct, type Face } from 'facekit'
import { announce } from './dom.js'
import { chooseFace } from './face-chooser.js'
import { acceptPictures } from './picture-input.js'
import { resultView, type ResultView } from './result-view.js'
import { startView } from './start-view.js'
import { cautionWords, errorWords, slowWords, stageWords } from './words.js'
import { workView } from './work-view.js'

/** What history knows of the page's state. */
type Place = 'start' | 'face'

/** Of one person; each makes the work longer. */
const MOST_PICTURES = 6

/** The page: a picture is asked for, worked on, and shown as a face. */
export class App {
  readonly #main: HTMLElement
  #stop: AbortController | undefined
  #result: ResultView | undefined
  #pictures: string[] = []

  constructor(main: HTMLElement) {
    this.#main = main
    acceptPictures(document.body, (pictures) => void this.#work(pictures))
    addEventListener('popstate', ({ state }) => {
      if ((state as Place) === 'face' && this.#result) this.#put(this.#result.element)
      else this.start()
    })
  }

  /** Shows the first page. */
  start(message?: { title: string; advice: string }): void {
    this.#stop?.abort()
    const view = startView((pictures) => void this.#work(pictures), message)
    this.#put(view.element)
    announce(message ? `${message.title}. ${message.advice}` : '')
    // While the visitor looks for a picture. Who has asked for less data waits for it later.
    const saves = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData
    if (!saves) prepare({ head: 'full' }).catch(() => undefined)
  }

  /** @param given - pictures of one person */
  async #work(given: Blob[]): Promise<void> {
    this.#stop?.abort()
    const stop = new AbortController()
    this.#stop = stop
    this.#forget()
    const pictures = given.slice(0, MOST_PICTURES)
    this.#pictures = pictures.map((picture) => URL.createObjectURL(picture))
    const view = workView(this.#pictures, () => history.back())
    if (history.state !== 'face') history.pushState('face' satisfies Place, '')
    this.#put(view.element)
    let face: Face
    let slow = false
    try {
      face = await reconstruct(pictures, {
        ...FACE_OPTIONS,
        signal: stop.signal,
        face: async (faces, photograph) => {
          const image = await view.show(photograph)
          return chooseFace(view.stage, image, faces, stop.signal)
        },
        onProgress: ({ stage, progress, loadedBytes, notice }) => {
          slow ||= notice !== undefined
          view.tell(stageWords[stage], progress, loadedBytes)
          announce(stageWords[stage])
        },
      })
    } catch (error) {
      if (stop.signal.aborted) return
      history.replaceState('start' satisfies Place, '')
      this.start(errorWords(error))
      return
    }
    if (stop.signal.aborted) {
      face.dispose()
      return
    }
    const notes = [...face.cautions.map((caution) => cautionWords[caution]), ...(slow ? [slowWords] : [])]
    this.#result = await resultView(face, this.#pictures, notes, () => history.back())
    this.#put(this.#result.element)
    announce(['The 3D face is ready', ...notes].join('. '))
  }

  #put(element: HTMLElement): void {
    this.#main.replaceChildren(element)
    this.#main.focus({ preventScroll: true })
    scrollTo({ top: 0 })
  }

  #forget(): void {
    this.#result?.dispose()
    this.#result = undefined
    for (const picture of this.#pictures) URL.revokeObjectURL(picture)
    this.#pictures = []
  }
}
