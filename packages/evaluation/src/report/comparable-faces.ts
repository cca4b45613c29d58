import type { EvaluationResults } from './evaluation-results.js'

/** The faces that every method has scored, where methods have scored different ones: a method that fails on what is hard would look better than one that
 * tries, so means over other faces than those cannot be compared.
 *
 * Methods without any score are left aside.
 *
 * @returns the same evaluation with those faces only; `undefined` when all methods scored the same faces, or have none in common
 */
export function comparableFaces(evaluation: EvaluationResults): EvaluationResults | undefined {
  const facesOf = new Map<string, Set<string>>()
  for (const { id, method, scores } of evaluation.results) {
    if (!scores || !evaluation.methods.includes(method)) continue
    const faces = facesOf.get(method) ?? new Set()
    facesOf.set(method, faces.add(id))
  }
  const [first, ...others] = facesOf.values()
  if (first === undefined) return undefined
  const common = new Set([...first].filter((id) => others.every((faces) => faces.has(id))))
  if (common.size === 0 || [...facesOf.values()].every((faces) => faces.size === common.size))
    return undefined
  const results = evaluation.results.filter(({ id }) => common.has(id))
  return {
    ...evaluation,
    groups: evaluation.groups.filter((group) => results.some((result) => result.group === group)),
    methods: evaluation.methods.filter((method) => facesOf.has(method)),
    cases: common.size,
    results,
  }
}

/** Whether every method has scored every face. */
export const isComplete = ({ methods, cases, results }: EvaluationResults): boolean =>
  methods.every(
    (method) => results.filter((result) => result.method === method && result.scores).length === cases,
  )
