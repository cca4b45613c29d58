import type { FaceParameters, ParameterTree } from './face-parameters.js'
import { parameterParts, type ParameterName, type ParameterPart } from './parameter-parts.js'

/** Builds a tree of the shape of {@link FaceParameters}, part by part in the order of the table. */
export function buildParameters<T>(make: (part: ParameterPart) => T): ParameterTree<T> {
  const tree: Record<string, unknown> = {}
  for (const part of parameterParts as readonly ParameterPart[]) {
    if (part.group) tree[part.group] = { ...(tree[part.group] as object), [part.name]: make(part) }
    else tree[part.name] = make(part)
  }
  return tree as unknown as ParameterTree<T>
}

/** The value of one part of a tree; undefined where the part, or the group it belongs to, is missing. */
export function partOf<T, H = T>(tree: FaceParameters<T, H>, { group, name }: ParameterPart): T | H {
  const parts = (group ? tree?.[group] : tree) as Partial<Record<ParameterName, T | H>> | undefined
  return parts?.[name] as T | H
}

/** A tree of the same shape with each part mapped. */
export const mapParameters = <U, T, H = T>(
  tree: FaceParameters<T, H>,
  map: (value: T | H, part: ParameterPart) => U,
): ParameterTree<U> => buildParameters((part) => map(partOf(tree, part), part))
