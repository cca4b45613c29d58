import type { MorphableModel } from '@facekit/morphable'
import { completeOptions } from './complete-options.js'
import { fixedCoefficients } from './sample/fixed-parameters.js'
import type { SynthesizerOptions } from './synthesizer-options.js'

/** Checks options that come from outside, such as a JSON file, as `createFaceSynthesizer` will.
 *
 * @param who - begins the message, e.g. the file's name
 * @param options - anything
 * @param model - whose numbers of modes and names of expressions `fixed` must fit, if given
 * @returns the same
 * @throws {ValueError} that names the field: unknown, of the wrong type, or out of range
 * @example
 * checkSynthesizerOptions('faces.json', { occluders: { hat: 2 } })
 * // ValueError: faces.json: occluders.hat is 2, expected a number from 0 to 1
 */
export function checkSynthesizerOptions(
  who: string,
  options: unknown,
  model?: MorphableModel,
): SynthesizerOptions {
  const { fixed } = completeOptions(options as SynthesizerOptions, who)
  if (model) fixedCoefficients(model, fixed, who)
  return options as SynthesizerOptions
}
