import type { LightPresetName } from '@facekit/illumination'

/** What the panel calls each light. */
export const lightLabels: Readonly<Record<LightPresetName, string>> = {
  studio: 'Studio: three lamps',
  daylight: 'Daylight, overcast',
  window: 'By a window',
  sunset: 'Low sun, blue sky',
  evening: 'Lamps in the evening',
  side: 'From the side',
}
