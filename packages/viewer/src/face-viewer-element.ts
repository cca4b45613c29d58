import { FacekitError } from '@facekit/core'
import { lightPresets } from '@facekit/illumination'
import { AttributeElement } from './attribute-element.js'
import { checkCapture, type FaceCapture } from './capture.js'
import { create } from './dom.js'
import { MODE_NUMBERS } from './face-shaders.js'
import { fetchFace } from './fetch-face.js'
import { changeSettings, defaultLightSettings, type LightName, type LightSettings } from './lighting.js'
import { moveByKey } from './move-by-key.js'
import { Stage, type ViewerMode } from './stage.js'
import { createParts, showState, viewInWords, type ViewerParts } from './viewer-parts.js'

/** `<facekit-viewer>`: shows a face of a .glb file, to turn, to light and to move.
 *
 * Attributes, each with a property of the same name:
 *
 * - `src`: address of a self-contained .glb. It and the two pictures are all that is ever asked of a network.
 * - `poster`: a picture that is shown until the face is there.
 * - `photograph`: the picture that the face was made from; `compare` says where it stands: `off`, `beside` or `over`.
 * - `alt`: says in words who or what is seen.
 * - `mode`: `lit` (default), `diffuse`, `specular`, `normals`, `shape`, `wireframe`, or `uncertainty` if the file has it.
 * - `light`: `photograph` (default where it is known), `studio`, `daylight`, `window`, `sunset`, `evening` or `side`.
 * - `turntable`: swings the face to and fro; `turntable="full"` turns it all around. Does not begin by itself where people ask for less motion.
 * - `controls`: shows buttons and sliders.
 *
 * Events: `load`; `error`, a `CustomEvent` whose `detail` is the error, which the element also shows as text; `change`, when someone chose another
 * mode, light, expression or comparison.
 *
 * @example
 * <facekit-viewer src="face.glb" alt="My face" controls></facekit-viewer>
 */
export class FaceViewerElement extends AttributeElement {
  static readonly observedAttributes = [
    'src',
    'poster',
    'photograph',
    'compare',
    'alt',
    'mode',
    'light',
    'turntable',
    'controls',
  ]

  private stage: Stage | undefined
  private loading: AbortController | undefined
  private bytes: ArrayBuffer | undefined
  private givenCapture: FaceCapture | undefined
  private settings: LightSettings = { ...defaultLightSettings }
  private weights: Record<string, number> = {}
  private wipePercent = 50
  private built: ViewerParts | undefined

  /** What the surface shows. A mode that the file cannot show is `lit`. */
  get mode(): ViewerMode {
    const value = this.getAttribute('mode') as ViewerMode
    return this.modes.includes(value) ? value : 'lit'
  }
  set mode(value: ViewerMode) {
    this.setAttribute('mode', value)
  }

  /** Modes that the file can show. */
  get modes(): ViewerMode[] {
    const all = Object.keys(MODE_NUMBERS) as ViewerMode[]
    return all.filter((mode) => mode !== 'uncertainty' || this.stage?.face?.hasUncertainty)
  }

  /** The light. Where there is no such, that of the photograph or, without one, the studio's. */
  get light(): LightName {
    const value = this.getAttribute('light') as LightName
    return this.lights.includes(value) ? value : this.lights[0]
  }
  set light(value: LightName) {
    this.setAttribute('light', value)
  }

  /** Lights that there are. */
  get lights(): LightName[] {
    const presets = Object.keys(lightPresets) as LightName[]
    return this.capture ? ['photograph', ...presets] : presets
  }

  /** How the light is changed. Setting some of it leaves the rest; what is out of range goes to its end. */
  get lighting(): LightSettings {
    return { ...this.settings }
  }
  set lighting(change: Partial<LightSettings>) {
    this.settings = changeSettings(this.settings, change)
    this.update()
  }

  /** Whether the face turns by itself. Setting it to true starts even where people ask for less motion: someone wanted it. */
  get turntable(): boolean {
    return this.stage?.isTurning ?? false
  }
  set turntable(value: boolean) {
    this.stage?.setTurntable(value && (this.getAttribute('turntable') === 'full' ? 'full' : 'swing'))
    this.update()
  }

  /** How the face was photographed: as the file says (`extras.facekit.capture`), or as it is set here.
   *
   * @throws {ValueError} when a list has the wrong length or a number is not finite
   */
  get capture(): FaceCapture | undefined {
    return this.givenCapture ?? this.stage?.face?.capture
  }
  set capture(value: FaceCapture | undefined) {
    this.givenCapture = value && checkCapture(value)
    this.stage?.setCapture(this.capture)
    this.update()
  }

  /** Percent of the width from the left where the photograph lies open, when `compare` is `over`. */
  get wipe(): number {
    return this.wipePercent
  }
  set wipe(value: number) {
    if (Number.isFinite(value)) this.wipePercent = Math.min(Math.max(value, 0), 100)
    this.update()
  }

  /** Names of the file's morph targets, from `extras.targetNames`. */
  get morphNames(): string[] {
    return [...(this.stage?.face?.morphNames ?? [])]
  }

  /** Weights of morph targets by name: those that were set, the file's otherwise. Setting some leaves the rest; names that the file lacks are
   * kept for the next file. */
  get morphWeights(): Record<string, number> {
    return { ...this.stage?.face?.morphWeights, ...this.weights }
  }
  set morphWeights(change: Record<string, number>) {
    for (const [name, weight] of Object.entries(change)) {
      if (!Number.isFinite(weight)) continue
      this.weights[name] = weight
      this.stage?.face?.setMorph(name, weight)
    }
    this.update()
  }

  /** Shows the bytes of a .glb file instead of `src`.
   *
   * @throws {ModelFormatError} when the file cannot be read; an `error` event tells the same. The face before stays.
   */
  async load(bytes: ArrayBuffer): Promise<void> {
    this.loading?.abort()
    const loading = (this.loading = new AbortController())
    await this.show(() => Promise.resolve(bytes), loading)
  }

  /** Back to the first view: the photograph's, or the front. */
  resetView(): void {
    this.stage?.resetView()
    this.describe()
  }

  /** Resolves when everything that was set is on the screen. */
  async whenDrawn(): Promise<void> {
    await this.stage?.whenDrawn()
  }

  /** What is seen now, as PNG with a transparent background; null before there is anything. */
  async toBlob(): Promise<Blob | null> {
    return (await this.stage?.toBlob()) ?? null
  }

  connectedCallback(): void {
    this.built ??= this.build()
    try {
      this.stage ??= new Stage(this.renewCanvas(), () => this.update())
    } catch (cause) {
      this.fail(new FacekitError('facekit-viewer: this browser offers no WebGL, so no 3D view', { cause }))
      return
    }
    this.update()
    if (this.bytes) void this.load(this.bytes).catch(() => {})
    else this.loadSource()
  }

  disconnectedCallback(): void {
    // Moved to another place of the page, an element is taken out and put in again at once.
    queueMicrotask(() => {
      if (this.isConnected) return
      this.loading?.abort()
      this.stage?.dispose()
      this.stage = undefined
    })
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.built) return
    if (name === 'src') {
      this.bytes = undefined
      this.loadSource()
    }
    if (name === 'turntable') this.startTurntable()
    this.update()
  }

  private loadSource(): void {
    const { src } = this
    if (!src || !this.stage) return
    this.loading?.abort()
    const loading = (this.loading = new AbortController())
    void this.show(() => fetchFace(src, loading.signal), loading).catch(() => {})
  }

  private async show(read: () => Promise<ArrayBuffer>, { signal }: AbortController): Promise<void> {
    const { progress, message, poster } = this.built ?? {}
    if (progress) progress.hidden = false
    try {
      const bytes = await read()
      // Without a place in a page there is nothing to draw on; it is shown when there is.
      this.bytes = bytes
      if (!this.stage) return
      const face = await this.stage.load(bytes, signal)
      if (message) message.hidden = true
      for (const [name, weight] of Object.entries(this.weights)) face.setMorph(name, weight)
      this.stage.setCapture(this.capture)
      this.update()
      this.startTurntable()
      await this.stage.whenDrawn()
      poster?.classList.add('gone')
      this.describe()
      this.dispatchEvent(new Event('load'))
    } catch (error) {
      if (signal.aborted) return
      this.fail(error)
      throw error
    } finally {
      if (progress && !signal.aborted) progress.hidden = true
    }
  }

  /** Tells an error in the element and by an event. */
  private fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    const { message } = this.built!
    message.textContent = `The face cannot be shown. ${text.replace(/^facekit-viewer: /, '')}.`
    message.hidden = false
    this.dispatchEvent(new CustomEvent('error', { detail: error }))
  }

  private startTurntable(): void {
    const wanted = this.getAttribute('turntable')
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.stage?.setTurntable(wanted !== null && !still && (wanted === 'full' ? 'full' : 'swing'))
  }

  /** A canvas that lost its context never gets another one. */
  private renewCanvas(): HTMLCanvasElement {
    const built = this.built!
    const canvas = this.createCanvas()
    built.canvas.replaceWith(canvas)
    built.canvas = canvas
    return canvas
  }

  private createCanvas(): HTMLCanvasElement {
    const canvas = create('canvas', { tabindex: 0, role: 'img', part: 'canvas' })
    canvas.addEventListener('keydown', (event) => {
      if (!this.stage || !moveByKey(this.stage, event)) return
      event.preventDefault()
      this.stage.setTurntable(false)
      this.update()
    })
    return canvas
  }

  private build() {
    const root = this.attachShadow({ mode: 'open' })
    const changed = (change: () => void) => {
      change()
      this.dispatchEvent(new Event('change'))
    }
    return createParts(root, this.createCanvas(), {
      setWipe: (percent) => (this.wipe = percent),
      setMode: (mode) => changed(() => (this.mode = mode)),
      setLight: (light) => changed(() => (this.light = light)),
      setLighting: (change) => changed(() => (this.lighting = change)),
      setMorph: (name, weight) => changed(() => (this.morphWeights = { [name]: weight })),
      setCompare: (compare) => changed(() => (this.compare = compare)),
      toggleTurntable: () => changed(() => (this.turntable = !this.turntable)),
      resetView: () => this.resetView(),
    })
  }

  /** Brings everything that is seen to the state of the attributes and properties. */
  private update(): void {
    const { built, stage } = this
    if (!built) return
    stage?.setMode(this.mode)
    stage?.setLight(this.light, this.settings)
    showState(built, {
      mode: this.mode,
      modes: this.modes,
      light: this.light,
      lights: this.lights,
      lighting: this.settings,
      turning: this.turntable,
      morphNames: this.morphNames,
      morphWeights: this.morphWeights,
      compare: this.compare,
      poster: this.poster,
      photograph: this.photograph,
      hasPhotograph: this.photograph !== '',
      hasControls: this.controls,
      wipe: this.wipePercent,
    })
    this.describe()
  }

  /** Says in words what is seen. */
  private describe(): void {
    if (!this.built) return
    const view = this.stage?.view() ?? { right: 0, up: 0 }
    const name = this.alt || 'A face in 3D'
    const text = `${name}, ${viewInWords(view)}. Arrow keys turn it, plus and minus zoom.`
    this.built.canvas.setAttribute('aria-label', text)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'facekit-viewer': FaceViewerElement
  }
}
