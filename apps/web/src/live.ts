import type { Face, FollowedFace, HeadExtent } from 'facekit'
import { openCamera, refusal, stopStream } from './camera-stream.js'
import { el } from './dom.js'

/** Width of the pictures that are looked at, pixels. */
const WIDTH = 480
/** Pictures of which the rate is the mean. */
const RATE_OVER = 8

/** The camera moves the face: who sits before it sees the face as in a mirror. */
export class Live {
  /** What the camera sees, and how it goes. */
  readonly element: HTMLElement
  readonly #video = el('video', { autoplay: true, playsinline: true, muted: true, 'aria-hidden': 'true' })
  readonly #words = el('p', { class: 'quiet', role: 'status' })
  readonly #rate = el('p', { class: 'quiet rate' })
  readonly #face: Face
  readonly #head: () => HeadExtent
  readonly #show: (found: FollowedFace) => void
  #stream: MediaStream | undefined
  #running = false

  constructor(face: Face, head: () => HeadExtent, show: (found: FollowedFace) => void) {
    this.#face = face
    this.#head = head
    this.#show = show
    this.element = el('div', { class: 'live', hidden: true }, this.#video, this.#words, this.#rate)
  }

  get running(): boolean {
    return this.#running
  }

  /** Runs until `stop`; resolves then, or when there is no camera. */
  async start(): Promise<void> {
    this.#running = true
    this.element.hidden = false
    this.#video.hidden = true
    this.#say('Please allow the camera.')
    try {
      this.#stream = await openCamera({ width: 640, height: 480 })
    } catch (error) {
      this.#running = false
      this.#say(refusal(error as Error))
      return
    }
    if (!this.#running) return this.#end()
    this.#video.hidden = false
    this.#video.srcObject = this.#stream
    await this.#video.play().catch(() => undefined)
    this.#say('Looking for you')
    await this.#follow()
    this.#end()
  }

  stop(): void {
    this.#running = false
    this.element.hidden = true
    this.#end()
  }

  async #follow(): Promise<void> {
    const follower = this.#face.follow({ head: this.#head() })
    const mirror = new Mirror()
    const times: number[] = []
    let seen = -1
    try {
      while (this.#running) {
        // The next picture is looked at while the last is drawn; but none twice, and none while nobody sees the page.
        if (document.hidden || this.#video.currentTime === seen) await new Promise(requestAnimationFrame)
        if (this.#video.currentTime === seen) continue
        seen = this.#video.currentTime
        const frame = mirror.look(this.#video)
        if (!frame) continue
        const found = await follower.next(frame)
        if (!this.#running) break
        if (found) this.#show(found)
        this.#say(found ? 'Move your head and your face.' : 'The camera sees no face.')
        times.push(performance.now())
        if (times.length > RATE_OVER) {
          const rate = (1000 * RATE_OVER) / (times.at(-1)! - times.shift()!)
          this.#rate.textContent = `${rate.toFixed(rate < 10 ? 1 : 0)} pictures a second`
        }
      }
    } catch {
      this.#running = false
      this.#say('The camera could not be followed. Load this page again.')
    } finally {
      follower.dispose()
    }
  }

  #say(words: string): void {
    if (this.#words.textContent !== words) this.#words.textContent = words
  }

  #end(): void {
    if (this.#stream) stopStream(this.#stream)
    this.#stream = undefined
    this.#rate.textContent = ''
  }
}

/** What a mirror shows: whoever turns to the left sees the face do so, too. Drawn by the processor, which reads it next: pictures of a canvas on the GPU
 * would have to come back from there. */
class Mirror {
  readonly #canvas = new OffscreenCanvas(WIDTH, 1)
  readonly #context = this.#canvas.getContext('2d', { willReadFrequently: true })

  look(video: HTMLVideoElement): ImageData | undefined {
    const { videoWidth, videoHeight } = video
    if (videoWidth === 0 || !this.#context) return undefined
    const height = Math.round((WIDTH * videoHeight) / videoWidth)
    if (this.#canvas.height !== height) this.#canvas.height = height
    this.#context.setTransform(-1, 0, 0, 1, WIDTH, 0)
    this.#context.drawImage(video, 0, 0, WIDTH, height)
    return this.#context.getImageData(0, 0, WIDTH, height)
  }
}
