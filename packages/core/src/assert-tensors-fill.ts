import { ModelFormatError } from './errors.js'

/** Refuses a file that describes a larger network than its tensors can fill, before memory is taken for that network.
 *
 * @param tensors - of the file
 * @param least - numbers that the weights of the described network have at least
 * @throws {ModelFormatError} when there are fewer
 */
export function assertTensorsFill(
  who: string,
  tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
  least: number,
): void {
  let count = 0
  // Not by their shapes: of a type that cannot be read, they may say anything.
  for (const { data } of tensors.values()) count += data.length
  if (!(least <= count))
    throw new ModelFormatError(
      `${who}: the file describes a network of at least ${least} weights and holds ${count} numbers; it is damaged`,
    )
}
