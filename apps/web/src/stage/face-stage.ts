import {
  BufferAttribute,
  BufferGeometry,
  Group,
  Matrix3,
  Matrix4,
  Mesh,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three'
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js'
import type { Face, FaceGeometry, HeadExtent, Light, LightName } from 'facekit'
import { FaceMaterial, type Mode } from './face-material.js'
import { drawOverlay } from './overlay.js'

/** Radians for a press of an arrow key. */
const STEP = Math.PI / 24
/** Turntable: how far to each side, radians, and seconds for there and back. */
const [SWING, PERIOD] = [0.7, 9]

/** The face in 3D: to be turned, lit and looked at. */
export class FaceStage {
  readonly canvas: HTMLCanvasElement
  readonly #renderer: WebGLRenderer
  readonly #scene = new Scene()
  readonly #camera = new PerspectiveCamera(22, 1, 10, 5000)
  readonly #controls: OrbitControls
  readonly #group = new Group()
  readonly #observer: ResizeObserver
  #geometry = new BufferGeometry()
  #material: FaceMaterial | undefined
  #face: Face | undefined
  #head: HeadExtent = 'face'
  /** How many indices draw the face; the rest of the head comes after them. */
  #faceIndices = 0
  #mode: Mode = 'lit'
  #light: LightName = 'photograph'
  #waiting = false
  #swing: { start: number; angle: number } | undefined

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true })
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2))
    this.#scene.add(this.#group)
    this.#controls = new OrbitControls(this.#camera, canvas)
    Object.assign(this.#controls, { enablePan: false, minDistance: 350, maxDistance: 1400, rotateSpeed: 0.7 })
    this.#controls.addEventListener('change', () => this.draw())
    canvas.addEventListener('keydown', (event) => this.#onKey(event))
    this.#observer = new ResizeObserver(() => this.#resize())
    this.#observer.observe(canvas.parentElement ?? canvas)
    this.resetView()
  }

  /** Shows a face, or its whole head. Light and what is seen of it stay as they are. */
  async show(face: Face, head: HeadExtent = 'face'): Promise<void> {
    const [geometry, maps, own] = await Promise.all([
      face.geometry({ head }),
      face.maps({ head }),
      head === 'full' ? face.geometry() : undefined,
    ])
    this.#faceIndices = (own ?? geometry).triangles.length
    this.#clear()
    this.#face = face
    this.#head = head
    const shown = new BufferGeometry()
    shown.setAttribute('position', new BufferAttribute(geometry.vertices, 3))
    shown.setAttribute('normal', new BufferAttribute(geometry.normals, 3))
    if (geometry.uv) shown.setAttribute('uv', new BufferAttribute(geometry.uv, 2))
    const { uncertainty = new Float32Array(geometry.vertices.length / 3) } = geometry
    shown.setAttribute('uncertainty', new BufferAttribute(uncertainty, 1))
    const mouthUv = geometry.innerMouthUv ?? new Float32Array((geometry.vertices.length / 3) * 2)
    shown.setAttribute('mouthUv', new BufferAttribute(mouthUv, 2))
    shown.setIndex(new BufferAttribute(Uint32Array.from(geometry.triangles), 1))
    const mouth = new BufferGeometry()
    for (const name of Object.keys(shown.attributes)) mouth.setAttribute(name, shown.getAttribute(name))
    mouth.setIndex(new BufferAttribute(Uint32Array.from(geometry.innerMouthTriangles), 1))
    this.#geometry = shown
    this.#material = new FaceMaterial(
      maps,
      face.parameters.illumination.shininess,
      this.#renderer.capabilities.getMaxAnisotropy(),
    )
    this.#group.add(new Mesh(shown, this.#material), new Mesh(mouth, this.#material.mouth()))
    this.setMode(this.#mode)
    this.setLight(this.#light)
    this.resetView()
  }

  /** Moves the vertices. */
  reshape({ vertices, normals }: Pick<FaceGeometry, 'vertices' | 'normals'>): void {
    // Of another extent of the head: it comes too late.
    if (vertices.length !== this.#geometry.getAttribute('position')?.array.length) return
    for (const [name, values] of [
      ['position', vertices],
      ['normal', normals],
    ] as const) {
      const attribute = this.#geometry.getAttribute(name) as BufferAttribute
      attribute.copyArray(values)
      attribute.needsUpdate = true
    }
    this.draw()
  }

  /** Turns the head: pitch, yaw, roll, radians, as somebody before a camera does. */
  turnHead([pitch, yaw, roll]: readonly [number, number, number]): void {
    this.#group.rotation.set(pitch, yaw, roll, 'ZYX')
    this.draw()
  }

  /** Whether the face swings from side to side. */
  get turntable(): boolean {
    return this.#swing !== undefined
  }
  set turntable(on: boolean) {
    if (on === this.turntable) return
    this.#swing = on ? { start: performance.now(), angle: 0 } : undefined
    if (on) requestAnimationFrame(this.#swinging)
  }

  setMode(mode: Mode): void {
    this.#mode = mode
    if (this.#material) this.#material.mode = mode
    this.draw()
  }

  setLight(name: LightName): void {
    this.#light = name
    const face = this.#face
    if (!face || !this.#material) return
    if (name === 'photograph') {
      const { sphericalHarmonics, lightPosition, lightColor } = face.parameters.illumination
      // It belongs to the head as it was turned then.
      const { scale } = face.parameters.pose
      const turn = new Matrix3().setFromMatrix4(new Matrix4().fromArray(face.view.modelMatrix))
      const own = { sphericalHarmonics, lightPosition, lightColor } as Light
      this.#material.setPhotographLight(own, turn.multiplyScalar(1 / scale))
    } else this.#material.setPresetLight(name)
    this.draw()
  }

  resetView(): void {
    this.turntable = false
    const isWhole = this.#head === 'full'
    this.#controls.target.set(0, isWhole ? 5 : -4, isWhole ? -20 : 20)
    this.#camera.position.set(0, 0, isWhole ? 880 : 680)
    this.#controls.update()
    this.draw()
  }

  /** Turns the head, radians. */
  turn(yaw: number, pitch: number): void {
    const offset = this.#camera.position.clone().sub(this.#controls.target)
    offset.applyAxisAngle(new Vector3(0, 1, 0), -yaw)
    const side = new Vector3(0, 1, 0).cross(offset).normalize()
    const tilted = offset.clone().applyAxisAngle(side, -pitch)
    // Not over the top.
    const up = tilted.clone().normalize().y
    this.#camera.position.copy(this.#controls.target).add(Math.abs(up) < 0.95 ? tilted : offset)
    this.#controls.update()
    this.draw()
  }

  /** The face where it is in its photograph, over nothing. */
  overlay(width: number): ImageData | undefined {
    if (!this.#face || !this.#material) return undefined
    // A bald head would hide the hair.
    this.#geometry.setDrawRange(0, this.#faceIndices)
    const picture = drawOverlay(
      this.#renderer,
      this.#scene,
      this.#group,
      this.#face.view,
      this.#material,
      width,
    )
    this.#geometry.setDrawRange(0, Infinity)
    this.draw()
    return picture
  }

  /** What is shown, as a PNG file. */
  async picture(): Promise<Blob | null> {
    this.#render()
    return new Promise((resolve) => this.canvas.toBlob(resolve, 'image/png'))
  }

  draw(): void {
    if (this.#waiting) return
    this.#waiting = true
    requestAnimationFrame(() => this.#render())
  }

  dispose(): void {
    this.turntable = false
    this.#observer.disconnect()
    this.#controls.dispose()
    this.#clear()
    this.#renderer.dispose()
  }

  #render(): void {
    this.#waiting = false
    this.#material?.uniforms.eye.value.copy(this.#camera.position)
    this.#renderer.render(this.#scene, this.#camera)
  }

  readonly #swinging = (now: number): void => {
    if (!this.#swing) return
    const angle = SWING * Math.sin((2 * Math.PI * (now - this.#swing.start)) / 1000 / PERIOD)
    this.turn(angle - this.#swing.angle, 0)
    this.#swing.angle = angle
    requestAnimationFrame(this.#swinging)
  }

  #clear(): void {
    this.#group.clear()
    this.#geometry.dispose()
    this.#material?.dispose()
    this.#material = undefined
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement ?? this.canvas
    if (clientWidth === 0 || clientHeight === 0) return
    this.#renderer.setSize(clientWidth, clientHeight, false)
    this.#camera.aspect = clientWidth / clientHeight
    // The face fits into a narrow window, too.
    this.#camera.fov = this.#camera.aspect < 0.9 ? 22 * Math.min(1.6, 0.9 / this.#camera.aspect) : 22
    this.#camera.updateProjectionMatrix()
    this.#render()
  }

  #onKey(event: KeyboardEvent): void {
    const turns: Record<string, [number, number]> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    }
    if (event.key === 'Home') this.resetView()
    else if (event.key === '+' || event.key === '-') this.#zoom(event.key === '+' ? 0.9 : 1.1)
    else if (event.key in turns) this.turn(...turns[event.key])
    else return
    event.preventDefault()
  }

  #zoom(factor: number): void {
    const offset = this.#camera.position.clone().sub(this.#controls.target)
    this.#camera.position.copy(this.#controls.target).add(offset.multiplyScalar(factor))
    this.#controls.update()
    this.draw()
  }
}
