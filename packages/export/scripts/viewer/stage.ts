import {
  BufferAttribute,
  BufferGeometry,
  Color,
  ColorManagement,
  DoubleSide,
  LinearSRGBColorSpace,
  Matrix3,
  Mesh,
  MeshBasicMaterial,
  OrthographicCamera,
  PerspectiveCamera,
  Scene as ThreeScene,
  ShaderMaterial,
  Texture,
  Vector3,
  WebGLRenderer,
} from 'three'
import { OrbitControls } from 'three/addons/controls/OrbitControls.js'
import type { lightUniforms } from './light.js'
import { fragmentShader, MODES, vertexShader, type Mode } from './shaders.js'
import type { Scene } from './scene-data.js'

/** The 3D part of the page. */
export interface Stage {
  setMode(mode: Mode): void
  setLight(uniforms: ReturnType<typeof lightUniforms>): void
  /** Back to the camera of the photograph. */
  resetView(): void
  /** Turns the camera around the face, in degrees. */
  orbit(right: number, up: number): void
}

/** Sets the face on a canvas; it is drawn again only when something changes. */
export function createStage(canvas: HTMLCanvasElement, scene: Scene): Stage {
  // Our shader encodes by itself.
  ColorManagement.enabled = false
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true })
  renderer.outputColorSpace = LinearSRGBColorSpace
  const camera = createCamera(scene)
  const controls = new OrbitControls(camera, canvas)
  const middle = meanDepth(scene.vertices)
  controls.minDistance = 100
  controls.maxDistance = 4 * scene.camera.distance
  const skin = new ShaderMaterial({
    defines: { ...(scene.maps && { HAS_MAPS: 1 }), ...(scene.maps?.normal && { HAS_NORMALS: 1 }) },
    vertexShader,
    fragmentShader,
    side: DoubleSide,
    uniforms: {
      mode: { value: MODES.lit },
      harmonics: { value: Array.from({ length: 9 }, () => new Vector3()) },
      toLight: { value: new Matrix3() },
      lightPosition: { value: new Vector3() },
      lightColor: { value: new Vector3() },
      shininess: { value: 20 },
      diffuseStrength: { value: 1 },
      specularStrength: { value: 1 },
      ...mapUniforms(scene, renderer),
      clayLight: { value: new Vector3(0, 0, 1) },
    },
  })
  const mouth = new MeshBasicMaterial({ side: DoubleSide })
  const attributes = {
    position: scene.vertices,
    normal: scene.normals,
    diffuseAlbedo: scene.diffuse,
    specularAlbedo: scene.specular,
  }
  const geometry = (triangles: Uint32Array) => {
    const result = new BufferGeometry()
    for (const [name, values] of Object.entries(attributes)) {
      result.setAttribute(name, new BufferAttribute(values, 3))
    }
    if (scene.uv) result.setAttribute('uv', new BufferAttribute(scene.uv, 2))
    return result.setIndex(new BufferAttribute(triangles, 1))
  }
  const world = new ThreeScene()
  world.add(new Mesh(geometry(scene.triangles), skin))
  if (scene.innerMouthTriangles.length > 0) world.add(new Mesh(geometry(scene.innerMouthTriangles), mouth))

  let waiting = false
  const draw = () => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => {
      waiting = false
      renderer.render(world, camera)
      document.documentElement.dataset.frames = String(
        Number(document.documentElement.dataset.frames ?? 0) + 1,
      )
    })
  }
  const resize = () => {
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2))
    renderer.setSize(canvas.clientWidth, canvas.clientHeight, false)
    draw()
  }
  const resetView = () => {
    camera.position.set(0, 0, scene.camera.distance)
    camera.zoom = 1
    camera.updateProjectionMatrix()
    // On the optical axis, so that the first view is the photograph's.
    controls.target.set(0, 0, middle)
    controls.update()
    draw()
  }
  controls.addEventListener('change', draw)
  new ResizeObserver(resize).observe(canvas)
  resetView()
  return {
    resetView,
    setMode: (mode) => {
      skin.uniforms.mode.value = MODES[mode]
      mouth.color = mode === 'shape' ? new Color(0.15, 0.15, 0.16) : new Color(0.17, 0.1, 0.1)
      draw()
    },
    setLight: (uniforms) => {
      for (const [name, value] of Object.entries(uniforms)) skin.uniforms[name].value = value
      draw()
    },
    orbit: (right, up) => {
      const offset = camera.position.clone().sub(controls.target)
      offset.applyAxisAngle(new Vector3(0, 1, 0), (right * Math.PI) / 180)
      const side = new Vector3(0, 1, 0).cross(offset).normalize()
      const lifted = offset.clone().applyAxisAngle(side, (-up * Math.PI) / 180)
      // Not over the poles, where the axes of the orbit meet.
      if (Math.hypot(lifted.x, lifted.z) > 0.05 * lifted.length()) offset.copy(lifted)
      camera.position.copy(controls.target).add(offset)
      controls.update()
      draw()
    },
  }
}

/** The maps as textures; the shader decodes them. */
function mapUniforms({ maps }: Scene, renderer: WebGLRenderer): Record<string, { value: unknown }> {
  if (!maps) return {}
  const texture = (image: HTMLImageElement | undefined) => {
    if (!image) return { value: null }
    const value = new Texture(image)
    value.anisotropy = Math.min(8, renderer.capabilities.getMaxAnisotropy())
    value.needsUpdate = true
    return { value }
  }
  return {
    diffuseMap: texture(maps.diffuse),
    specularMap: texture(maps.specular),
    normalMap: texture(maps.normal),
    specularScale: { value: maps.specularScale },
  }
}

/** The camera of the reconstruction, for a square picture. */
function createCamera({ camera }: Scene): PerspectiveCamera | OrthographicCamera {
  if (camera.projection === 'weak-perspective') {
    const half = camera.distance * Math.tan(camera.fieldOfView / 2)
    return new OrthographicCamera(-half, half, half, -half, 1, 8 * camera.distance)
  }
  return new PerspectiveCamera((camera.fieldOfView * 180) / Math.PI, 1, 10, 8 * camera.distance)
}

function meanDepth(vertices: Float32Array): number {
  let sum = 0
  for (let i = 2; i < vertices.length; i += 3) sum += vertices[i]
  return sum / (vertices.length / 3)
}
