import {
  lightPresets as presets,
  presetLight,
  type LightPresetName,
  type PlainLight,
} from '@facekit/illumination'

/** Light on a face: distant light as spherical harmonics, and a lamp that makes highlights. */
export type Light = PlainLight

/** Lights by name, as numbers; `'photograph'` is the one that was found in the photograph. */
export const lightPresets = Object.fromEntries(
  Object.entries(presets).map(([name, preset]) => [name, presetLight(preset)]),
) as Record<LightPresetName, Light>

/** Name of a light. */
export type LightName = LightPresetName | 'photograph'
