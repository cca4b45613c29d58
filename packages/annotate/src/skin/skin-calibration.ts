/** What makes a probability of the log-odds of `skinEvidence` (Platt 1999): `1 / (1 + exp(-slope * evidence - offset))` where skin and the rest
 * are as frequent.
 *
 * Written by scripts/calibrate-skin.ts from 116 subjects of YouTube Faces whom the mixtures have not seen.
 */
export const skinCalibration = { slope: 0.903, offset: -0.6606 }
