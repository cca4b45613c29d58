import { Euler, Matrix3, Matrix4, Vector3 } from 'three'
import type { Scene } from './scene-data.js'

/** What the controls of the page say about the light. */
export interface LightState {
  /** 'photo': the light of the reconstruction; 'lamp': one white lamp in a dark room. */
  source: 'photo' | 'lamp'
  /** Degrees by which the light was moved to the right and up. */
  azimuth: number
  elevation: number
  diffuse: number
  highlights: number
  shininess: number
}

/** Direction of the lamp, and of the light on the clay, before it is moved. */
const LAMP_DIRECTION = new Vector3(0.25, 0.45, 1).normalize()
/** Irradiance where the lamp shines straight down: bright enough for skin, whose albedo is far below 1. */
const LAMP_IRRADIANCE = 2.2
/** Share of the lamp's light that comes from everywhere. */
const AMBIENT = 0.08

/** Values of the shader's uniforms for a state of the controls. */
export function lightUniforms(scene: Scene, state: LightState) {
  const turn = new Matrix4().makeRotationFromEuler(
    new Euler((-state.elevation * Math.PI) / 180, (state.azimuth * Math.PI) / 180, 0, 'YXZ'),
  )
  const lamp = state.source === 'lamp'
  const distance = scene.camera.distance
  const home = lamp
    ? LAMP_DIRECTION.clone().multiplyScalar(distance)
    : new Vector3(...scene.illumination.lightPosition)
  return {
    harmonics: lamp ? lampHarmonics() : harmonicsOf(scene),
    toLight: new Matrix3().setFromMatrix4(turn).transpose(),
    lightPosition: home.applyMatrix4(turn),
    lightColor: lamp ? new Vector3(6, 6, 6) : new Vector3(...scene.illumination.lightColor),
    shininess: state.shininess,
    diffuseStrength: state.diffuse,
    specularStrength: state.highlights,
    clayLight: LAMP_DIRECTION.clone().applyMatrix4(turn),
  }
}

function harmonicsOf(scene: Scene): Vector3[] {
  const values = scene.illumination.sphericalHarmonics
  return Array.from({ length: 9 }, (_, i) => new Vector3(values[3 * i], values[3 * i + 1], values[3 * i + 2]))
}

/** Irradiance of distant directional light, with a little from all sides, as spherical harmonics.
 *
 * E_lm = A_l Y_lm(d), A = pi, 2 pi / 3, pi / 4      (Ramamoorthi and Hanrahan, SIGGRAPH 2001), scaled to LAMP_IRRADIANCE at n = d
 */
function lampHarmonics(): Vector3[] {
  const { x, y, z } = LAMP_DIRECTION
  const basis = [
    0.28209479,
    0.48860251 * y,
    0.48860251 * z,
    0.48860251 * x,
    1.09254843 * x * y,
    1.09254843 * y * z,
    0.31539157 * (3 * z * z - 1),
    1.09254843 * x * z,
    0.54627422 * (x * x - y * y),
  ]
  const lobe = [Math.PI, (2 * Math.PI) / 3, Math.PI / 4]
  const peak = lobe.reduce((sum, a, band) => sum + (a * (2 * band + 1)) / (4 * Math.PI), 0)
  return basis.map((value, i) => {
    const band = i === 0 ? 0 : i < 4 ? 1 : 2
    const ambient = i === 0 ? AMBIENT / 0.28209479 : 0
    return new Vector3().setScalar(LAMP_IRRADIANCE * (((1 - AMBIENT) * lobe[band] * value) / peak + ambient))
  })
}
