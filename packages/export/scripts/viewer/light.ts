import { illuminantColor, nonNegativeLight } from '@facekit/illumination'
import { Euler, Matrix3, Matrix4, Vector3 } from 'three'
import { lightPresets, presetHarmonics, type PresetName } from './light-presets.js'
import type { Scene } from './scene-data.js'

/** What the controls of the page say about the light. */
export interface LightState {
  /** 'photo': the light of the reconstruction. */
  source: 'photo' | PresetName
  /** Degrees by which the light was moved to the right and up. */
  azimuth: number
  elevation: number
  diffuse: number
  highlights: number
  shininess: number
}

/** Direction of the light on the clay, before it is moved. */
const CLAY_DIRECTION = new Vector3(0.25, 0.45, 1).normalize()

/** Values of the shader's uniforms for a state of the controls. */
export function lightUniforms(scene: Scene, state: LightState) {
  const turn = new Matrix4().makeRotationFromEuler(
    new Euler((-state.elevation * Math.PI) / 180, (state.azimuth * Math.PI) / 180, 0, 'YXZ'),
  )
  const { lightPosition, lightColor, harmonics } =
    state.source === 'photo' ? photoLight(scene) : presetLight(scene, state)
  return {
    harmonics,
    toLight: new Matrix3().setFromMatrix4(turn).transpose(),
    lightPosition: lightPosition.applyMatrix4(turn),
    lightColor,
    shininess: state.shininess,
    diffuseStrength: state.diffuse,
    specularStrength: state.highlights,
    clayLight: CLAY_DIRECTION.clone().applyMatrix4(turn),
  }
}

const rows = (values: ArrayLike<number>): Vector3[] =>
  Array.from({ length: 9 }, (_, i) => new Vector3(values[3 * i], values[3 * i + 1], values[3 * i + 2]))

/** Turned to another side, a fitted light shows what the photograph did not: there it must be possible, too. */
function photoLight({ illumination }: Scene) {
  return {
    harmonics: rows(nonNegativeLight(illumination.sphericalHarmonics)),
    lightPosition: new Vector3(...illumination.lightPosition),
    lightColor: new Vector3(...illumination.lightColor),
  }
}

function presetLight({ camera }: Scene, { source, shininess }: LightState) {
  const preset = lightPresets[source as PresetName]
  const [{ direction, irradiance, kelvin }] = preset.lamps
  return {
    harmonics: rows(presetHarmonics(preset)),
    lightPosition: new Vector3(...direction).setLength(camera.distance),
    // (m + 8) / 8: what keeps the energy of a highlight, whatever its width (Akenine-Moller et al., Real-Time Rendering, 3rd edition, section 7.6).
    lightColor: new Vector3(...illuminantColor(kelvin)).multiplyScalar((irradiance * (shininess + 8)) / 8),
  }
}
