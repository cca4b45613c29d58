import type { Face, FollowedFace } from 'facekit'
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
  readonly #show: (found: FollowedFace) => void
  #stream: MediaStream | undefined
  #running = false

  constructor(face: Face, show: (found: FollowedFace) => void) {
    this.#face = face
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
    const follower = this.#face.follow()
    const times: number[] = []
    try {
      while (this.#running) {
        // No pictures of a page that nobody sees.
        await new Promise(requestAnimationFrame)
        const frame = mirrored(this.#video)
        if (!frame) continue
        const found = await follower.next(frame)
        frame.close()
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

/** What a mirror shows: whoever turns to the left sees the face do so, too. */
function mirrored(video: HTMLVideoElement): ImageBitmap | undefined {
  const { videoWidth, videoHeight } = video
  if (videoWidth === 0) return undefined
  const height = Math.round((WIDTH * videoHeight) / videoWidth)
  const canvas = new OffscreenCanvas(WIDTH, height)
  const context = canvas.getContext('2d')
  if (!context) return undefined
  context.translate(WIDTH, 0)
  context.scale(-1, 1)
  context.drawImage(video, 0, 0, WIDTH, height)
  return canvas.transferToImageBitmap()
}
