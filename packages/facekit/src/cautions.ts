import type { FaceDocument } from './face-document.js'

/** What makes a face less sure than others, by the numbers of its (first) photograph:
 *
 * - `small`: it is less than 110 pixels wide, and fine detail is guessed
 * - `turned`: it looks to the side by more than 35 degrees, and of one half little is seen
 * - `colored-light`: the strongest colour of the light is 1.6 times the weakest or more, and which part of a colour is skin is a guess
 * - `doubtful`: landmarks that the fit did not follow disagree with it by more than 5 %
 */
export type Caution = 'small' | 'turned' | 'colored-light' | 'doubtful'

/** A face fills about this share of the crop's width. */
const SHARE = 0.6
const [SMALL, TURNED, COLORED, DOUBTFUL] = [110, (35 * Math.PI) / 180, 1.6, 0.05]

/** See `Caution`; empty for a good photograph. */
export function cautionsOf({ crop, pose, illumination, metrics }: FaceDocument): Caution[] {
  const width = (SHARE * crop.size) / crop.transform.scale
  const ambient = illumination.sphericalHarmonics[0]
  const cautions: [Caution, boolean][] = [
    ['small', width < SMALL],
    ['turned', Math.abs(pose.rotation[1]) > TURNED],
    ['colored-light', Math.max(...ambient) > COLORED * Math.max(Math.min(...ambient), 1e-6)],
    ['doubtful', metrics.landmarkCheck > DOUBTFUL],
  ]
  return cautions.filter(([, holds]) => holds).map(([name]) => name)
}
