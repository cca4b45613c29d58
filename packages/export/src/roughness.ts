import { ValueError } from '@facekit/core'

/** glTF's roughness for an exponent of Blinn-Phong.
 *
 * alpha = sqrt(2 / (shininess + 2))      (Walter et al., Microfacet Models for Refraction, EGSR 2007, section 5.2)
 * roughness = sqrt(alpha)                (glTF 2.0, appendix B: alpha is the square of the roughness)
 *
 * @returns 0..1
 * @throws {ValueError} when `shininess` is not a number of at least 0
 * @example
 * roughnessFromShininess(0) // 1
 * roughnessFromShininess(30) // 0.5
 */
export function roughnessFromShininess(shininess: number): number {
  if (!(shininess >= 0)) {
    throw new ValueError(`roughnessFromShininess: shininess is ${shininess}, expected a number of at least 0`)
  }
  return (2 / (shininess + 2)) ** 0.25
}
