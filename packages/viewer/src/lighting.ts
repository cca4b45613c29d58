import {
  lightPresets,
  nonNegativeLight,
  presetLamps,
  shadingShare,
  type LightPreset,
  type LightPresetName,
} from '@facekit/illumination'
import { Color, Euler, Matrix3, Matrix4, Quaternion, Vector3 } from 'three'
import type { FaceCapture } from './capture.js'
import type { SharedUniforms } from './face-material.js'

/** A light by name: that of the photograph, where the file or `capture` knows it, or a preset. */
export type LightName = 'photograph' | LightPresetName

/** How the light is changed. */
export interface LightSettings {
  /** Degrees by which the whole light is turned to the right of the picture, -180 to 180. */
  azimuth: number
  /** Degrees by which it is raised, -90 to 90. */
  elevation: number
  /** Factor of the diffuse light, 0 to 4. */
  diffuse: number
  /** Factor of the highlights, 0 to 8. */
  highlights: number
  /** Factor of all light, 0 to 8. */
  exposure: number
}

export const defaultLightSettings: Readonly<LightSettings> = {
  azimuth: 0,
  elevation: 0,
  diffuse: 1,
  highlights: 1,
  exposure: 1,
}

const LIMITS: Record<keyof LightSettings, readonly [number, number]> = {
  azimuth: [-180, 180],
  elevation: [-90, 90],
  diffuse: [0, 4],
  highlights: [0, 8],
  exposure: [0, 8],
}

/** Settings with what `change` says, kept within their limits; what is no number is left as it was. */
export function changeSettings(settings: LightSettings, change: Partial<LightSettings>): LightSettings {
  const result = { ...settings }
  for (const [name, [least, most]] of Object.entries(LIMITS) as [keyof LightSettings, [number, number]][]) {
    const value = change[name]
    if (value !== undefined && Number.isFinite(value)) result[name] = Math.min(Math.max(value, least), most)
  }
  return result
}

/** Uniforms of the light, in a first state. */
export function createLightUniforms(): SharedUniforms {
  const vectors = (count: number) => Array.from({ length: count }, () => new Vector3(0, 0, 1))
  return {
    photographed: { value: false },
    harmonics: { value: vectors(9) },
    toLight: { value: new Matrix3() },
    lightPosition: { value: new Vector3(0, 0, 1) },
    lightColor: { value: new Vector3() },
    shininess: { value: 20 },
    lampDirections: { value: vectors(3) },
    lampColors: { value: Array.from({ length: 3 }, () => new Color(0, 0, 0)) },
    skyColor: { value: new Color() },
    groundColor: { value: new Color() },
    diffuseStrength: { value: 1 },
    specularStrength: { value: 1 },
    exposure: { value: 1 },
    shadingMap: { value: null },
    shadingStrength: { value: 0 },
  }
}

/** Sets the uniforms for a light and its settings. Without a capture the light of the photograph is that of the studio. */
export function setLight(
  uniforms: SharedUniforms,
  name: LightName,
  settings: LightSettings,
  capture: FaceCapture | undefined,
): void {
  const turn = new Matrix4().makeRotationFromEuler(
    new Euler((-settings.elevation * Math.PI) / 180, (settings.azimuth * Math.PI) / 180, 0, 'YXZ'),
  )
  uniforms.toLight.value.setFromMatrix4(turn).transpose()
  uniforms.diffuseStrength.value = settings.diffuse
  uniforms.specularStrength.value = settings.highlights
  uniforms.exposure.value = settings.exposure
  uniforms.photographed.value = name === 'photograph' && capture !== undefined
  const turned = new Quaternion().setFromRotationMatrix(turn).angleTo(new Quaternion())
  uniforms.shadingStrength.value = uniforms.shadingMap.value ? shadingShare(turned) : 0
  if (name === 'photograph' && capture) setPhotograph(uniforms, turn, capture)
  else setPreset(uniforms, turn, lightPresets[name === 'photograph' ? 'studio' : name])
}

/** Turned to another side, a fitted light shows what the photograph did not: there it must be possible, too. */
function setPhotograph(uniforms: SharedUniforms, turn: Matrix4, { illumination }: FaceCapture): void {
  const harmonics = nonNegativeLight(illumination.sphericalHarmonics)
  uniforms.harmonics.value = Array.from(
    { length: 9 },
    (_, i) => new Vector3(harmonics[3 * i], harmonics[3 * i + 1], harmonics[3 * i + 2]),
  )
  const [x, y, z] = Array.from(illumination.lightPosition, (value) => value / 1000)
  uniforms.lightPosition.value = new Vector3(x, y, z).applyMatrix4(turn)
  const [r, g, b] = Array.from(illumination.lightColor)
  uniforms.lightColor.value = new Vector3(r, g, b)
  uniforms.shininess.value = illumination.shininess
}

function setPreset(uniforms: SharedUniforms, turn: Matrix4, preset: LightPreset): void {
  const { lampDirections, lampColors, skyColor, groundColor } = presetLamps(preset)
  uniforms.lampDirections.value = lampDirections.map((direction) =>
    new Vector3(...direction).applyMatrix4(turn),
  )
  uniforms.lampColors.value = lampColors.map((color) => new Color(...color))
  uniforms.skyColor.value = new Color(...skyColor)
  uniforms.groundColor.value = new Color(...groundColor)
}
