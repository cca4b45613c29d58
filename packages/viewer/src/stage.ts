import { Color, OrthographicCamera, PerspectiveCamera, Scene, Vector3, WebGLRenderer } from 'three'
import { OrbitControls } from 'three/addons/controls/OrbitControls.js'
import type { CaptureShading, FaceCapture } from './capture.js'
import type { SharedUniforms } from './face-material.js'
import { MODE_NUMBERS } from './face-shaders.js'
import { createLightUniforms, setLight, type LightName, type LightSettings } from './lighting.js'
import { loadFace, type LoadedFace } from './load-face.js'
import { shadingTexture } from './shading-texture.js'

/** What the surface shows. */
export type ViewerMode = keyof typeof MODE_NUMBERS

/** Field of view where no photograph says one, radians: a portrait lens. */
const FIELD_OF_VIEW = (24 * Math.PI) / 180
/** Seconds of a swing to and fro, and of a whole turn. */
const PERIOD = 12
/** Radians of a swing to each side. */
const SWING = 0.75

/** The canvas, its camera and the face: everything that draws. Draws when something changed, not otherwise. */
export class Stage {
  readonly canvas: HTMLCanvasElement
  face: LoadedFace | undefined
  private readonly renderer: WebGLRenderer
  private readonly scene = new Scene()
  private camera: PerspectiveCamera | OrthographicCamera = new PerspectiveCamera(24, 1, 0.01, 10)
  private readonly controls: OrbitControls
  private readonly uniforms: SharedUniforms = { mode: { value: 0 }, ...createLightUniforms() }
  private readonly observer: ResizeObserver
  private capture: FaceCapture | undefined
  private frame = 0
  /** Of the ball around the face, m. */
  private radius = 0.2
  private turning: { full: boolean; started: number; angle: number } | undefined
  private readonly waiting: (() => void)[] = []

  /** @throws {Error} when the browser gives no WebGL */
  constructor(canvas: HTMLCanvasElement, onTurn: () => void) {
    this.canvas = canvas
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true })
    this.renderer.autoClear = false
    this.controls = new OrbitControls(this.camera, canvas)
    this.controls.enablePan = false
    this.controls.rotateSpeed = 0.7
    // Up and down scrolls the page on a touch screen, sideways turns the face.
    canvas.style.touchAction = 'pan-y'
    this.controls.addEventListener('change', () => this.requestDraw())
    this.controls.addEventListener('start', () => {
      this.setTurntable(false)
      onTurn()
    })
    this.controls.addEventListener('end', onTurn)
    canvas.addEventListener('webglcontextrestored', this.requestDraw)
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(canvas)
  }

  /** Reads a face and shows it instead of the one before.
   *
   * @throws {ModelFormatError} when the file cannot be read; the face before stays
   */
  async load(bytes: ArrayBuffer, signal: AbortSignal): Promise<LoadedFace> {
    const face = await loadFace(bytes, this.uniforms)
    if (signal.aborted) {
      face.dispose()
      throw signal.reason
    }
    this.face?.dispose()
    this.scene.clear()
    this.scene.add(face.root)
    this.face = face
    return face
  }

  /** Takes the camera and the pose of a photograph, or frames the face. */
  setCapture(capture: FaceCapture | undefined): void {
    this.capture = capture
    this.setShading(capture?.illumination.shading)
    const root = this.face?.root
    if (root) {
      root.matrixAutoUpdate = false
      root.matrix.identity()
      if (capture?.pose) root.matrix.fromArray(Array.from(capture.pose))
      root.matrixWorldNeedsUpdate = true
    }
    this.resetView()
  }

  private setShading(shading: CaptureShading | undefined): void {
    const { shadingMap } = this.uniforms
    shadingMap.value?.dispose()
    shadingMap.value = shading ? shadingTexture(shading) : null
    for (const { name, uniforms } of this.face?.materials ?? [])
      uniforms.isShaded.value = name === shading?.material
  }

  setMode(mode: ViewerMode): void {
    this.uniforms.mode.value = MODE_NUMBERS[mode]
    this.requestDraw()
  }

  setLight(name: LightName, settings: LightSettings): void {
    setLight(this.uniforms, name, settings, this.capture)
    this.requestDraw()
  }

  /** Back to the camera of the photograph, or to the front. */
  resetView(): void {
    const { face, capture } = this
    if (!face) return
    const bounds = face.bounds.clone().applyMatrix4(face.root.matrix)
    const center = bounds.getCenter(new Vector3())
    const size = bounds.getSize(new Vector3())
    const radius = size.length() / 2
    this.radius = radius
    const aspect = this.aspect()
    if (capture?.camera.projection === 'weak-perspective') {
      const half = (capture.camera.distance / 1000) * Math.tan(capture.camera.fieldOfView / 2)
      this.camera = new OrthographicCamera(-half, half, half, -half, 0.001, 100)
    } else this.camera = new PerspectiveCamera(24, aspect, 0.01, 100)
    this.camera.userData.fieldOfView = capture?.camera.fieldOfView ?? FIELD_OF_VIEW
    if (capture) {
      // On the optical axis, so that the first view is the photograph's.
      this.camera.position.set(0, 0, capture.camera.distance / 1000)
      this.controls.target.set(0, 0, center.z)
    } else {
      const half = Math.max(size.y / 2, size.x / 2 / Math.min(aspect, 1))
      const distance = (1.18 * half) / Math.tan(FIELD_OF_VIEW / 2) + size.z / 2
      this.camera.position.copy(center).add(new Vector3(0, 0, distance))
      this.controls.target.copy(center)
    }
    this.controls.object = this.camera
    this.controls.minDistance = radius * 0.8
    this.controls.maxDistance = radius * 20
    this.controls.minPolarAngle = 0.15
    this.controls.maxPolarAngle = Math.PI - 0.15
    if (this.turning) this.turning.angle = 0
    this.resize()
    this.controls.update()
  }

  /** Turns the camera around the face: degrees to the right and up. */
  orbit(right: number, up: number): void {
    const { target } = this.controls
    const offset = this.camera.position.clone().sub(target)
    offset.applyAxisAngle(new Vector3(0, 1, 0), (right * Math.PI) / 180)
    const side = new Vector3(0, 1, 0).cross(offset).normalize()
    const lifted = offset.clone().applyAxisAngle(side, (-up * Math.PI) / 180)
    // Not over the poles, where the axes of the orbit meet.
    if (Math.hypot(lifted.x, lifted.z) > 0.1 * lifted.length()) offset.copy(lifted)
    this.camera.position.copy(target).add(offset)
    this.controls.update()
    this.requestDraw()
  }

  /** Comes nearer by a factor above 1. */
  zoom(factor: number): void {
    if (this.camera instanceof OrthographicCamera) this.camera.zoom *= factor
    else {
      const { target, minDistance, maxDistance } = this.controls
      const offset = this.camera.position.clone().sub(target)
      offset.setLength(Math.min(Math.max(offset.length() / factor, minDistance), maxDistance))
      this.camera.position.copy(target).add(offset)
    }
    this.resize()
  }

  /** Degrees that the camera stands to the right of the face's front and above it. */
  view(): { right: number; up: number } {
    const { x, y, z } = this.camera.position.clone().sub(this.controls.target)
    const degrees = (radians: number) => Math.round((radians * 180) / Math.PI)
    return { right: degrees(Math.atan2(x, z)), up: degrees(Math.atan2(y, Math.hypot(x, z))) }
  }

  get isTurning(): boolean {
    return this.turning !== undefined
  }

  /** Swings the face to and fro, or turns it all around, until it is switched off or someone takes hold of it. */
  setTurntable(kind: 'swing' | 'full' | false): void {
    this.turning = kind ? { full: kind === 'full', started: performance.now(), angle: 0 } : undefined
    this.requestDraw()
  }

  /** Resolves when everything that was asked for is on the canvas. */
  whenDrawn(): Promise<void> {
    this.requestDraw()
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** Draws, then encodes what the canvas shows. */
  toBlob(): Promise<Blob | null> {
    this.draw()
    return new Promise((resolve) => this.canvas.toBlob(resolve, 'image/png'))
  }

  readonly requestDraw = (): void => {
    this.frame ||= requestAnimationFrame((time) => {
      this.frame = 0
      this.turn(time)
      this.draw()
      for (const resolve of this.waiting.splice(0)) resolve()
      if (this.turning) this.requestDraw()
    })
  }

  dispose(): void {
    cancelAnimationFrame(this.frame)
    this.observer.disconnect()
    this.canvas.removeEventListener('webglcontextrestored', this.requestDraw)
    this.controls.dispose()
    this.face?.dispose()
    this.face = undefined
    this.setShading(undefined)
    this.renderer.dispose()
    this.renderer.forceContextLoss()
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private turn(time: number): void {
    if (!this.turning) return
    const phase = (Math.max(time - this.turning.started, 0) / 1000 / PERIOD) * 2 * Math.PI
    const angle = this.turning.full ? phase : SWING * Math.sin(phase)
    const offset = this.camera.position.clone().sub(this.controls.target)
    offset.applyAxisAngle(new Vector3(0, 1, 0), angle - this.turning.angle)
    this.turning.angle = angle
    this.camera.position.copy(this.controls.target).add(offset)
    this.camera.lookAt(this.controls.target)
  }

  private aspect(): number {
    return this.canvas.clientWidth / Math.max(this.canvas.clientHeight, 1) || 1
  }

  private resize(): void {
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2))
    this.renderer.setSize(Math.max(this.canvas.clientWidth, 1), Math.max(this.canvas.clientHeight, 1), false)
    const aspect = this.aspect()
    // The square that the photograph shows is in sight, whatever the shape of the canvas.
    const narrow = Math.min(aspect, 1)
    if (this.camera instanceof PerspectiveCamera) {
      this.camera.aspect = aspect
      const half = Math.tan(this.camera.userData.fieldOfView / 2 || FIELD_OF_VIEW / 2)
      this.camera.fov = (2 * Math.atan(half / narrow) * 180) / Math.PI
    } else {
      const half = this.camera.userData.half ?? this.camera.top
      this.camera.userData.half = half
      Object.assign(this.camera, { top: half / narrow, bottom: -half / narrow })
      Object.assign(this.camera, { right: (half / narrow) * aspect, left: (-half / narrow) * aspect })
    }
    this.camera.updateProjectionMatrix()
    this.requestDraw()
  }

  private draw(): void {
    this.renderer.setClearColor(new Color(0, 0, 0), 0)
    this.renderer.clear()
    if (!this.face) return
    this.setDepths()
    this.renderer.render(this.scene, this.camera)
    if (this.uniforms.mode.value === MODE_NUMBERS.wireframe) this.drawLines()
  }

  /** Keeps the planes of the camera close around the face: depths of a portrait lens far away are coarse otherwise. */
  private setDepths(): void {
    const distance = this.camera.position.distanceTo(this.controls.target)
    const reach = 4 * this.radius
    this.camera.near = Math.max(distance - reach, distance / 100)
    this.camera.far = distance + reach
    this.camera.updateProjectionMatrix()
  }

  /** The edges, over the dark surface that hides those behind it. */
  private drawLines(): void {
    const set = (lines: boolean) => {
      for (const material of this.face!.materials) {
        material.wireframe = lines
        material.uniforms.drawsLines.value = lines
      }
    }
    set(true)
    this.renderer.render(this.scene, this.camera)
    set(false)
  }
}
