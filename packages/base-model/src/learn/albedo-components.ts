import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { AlbedoObservation } from './albedo-observations.js'
import type { PersonAlbedo } from './albedo-people.js'

/** Principal components of weighted rows by the matrix of their products: fields of unit length under `root`. */
export function albedoComponents(
  rows: readonly Float64Array[],
  people: readonly PersonAlbedo[],
  root: Float64Array,
) {
  const total = people.reduce((sum, { weight }) => sum + weight, 0)
  const scaled = rows.map((row, p) => {
    const weight = Math.sqrt(people[p].weight / total)
    return row.map((value, i) => value * root[i] * weight)
  })
  const products = Matrix.zeros(rows.length, rows.length)
  for (let a = 0; a < rows.length; a++) {
    for (let b = 0; b <= a; b++) {
      const value = dot(scaled[a], scaled[b])
      products.set(a, b, value)
      products.set(b, a, value)
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(products, {
    assumeSymmetric: true,
  })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const sum = realEigenvalues.reduce((s, value) => s + Math.max(value, 0), 0)
  const kept = order.filter((k) => realEigenvalues[k] > 1e-9 * sum).slice(0, 100)
  let running = 0
  const explained = kept.map((k) => (running += realEigenvalues[k]) / sum)
  const fields = kept.map((k) => {
    const field = new Float64Array(root.length)
    const length = Math.sqrt(realEigenvalues[k])
    scaled.forEach((row, p) => {
      const amount = eigenvectorMatrix.get(p, k) / length
      for (let i = 0; i < field.length; i++) field[i] += amount * row[i]
    })
    for (let i = 0; i < field.length; i++) field[i] /= root[i] || 1
    // An eigenvector's sign is arbitrary: let the brighter side be positive.
    const sign = field.reduce((s, value, i) => s + value * root[i] ** 2, 0) < 0 ? -1 : 1
    return field.map((value) => sign * value)
  })
  return { fields, variances: kept.map((k) => realEigenvalues[k]), explained }
}

/** Sum of products. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Correlation within people: 1 minus the variance between clips of one person in parts of that between all clips. */
export function repeatability(
  field: Float64Array,
  rows: readonly Float64Array[],
  observations: readonly AlbedoObservation[],
  root: Float64Array,
): number {
  const weighted = field.map((value, i) => value * root[i] * root[i])
  const scores = rows.map((row) => dot(row, weighted))
  const groups = new Map<number, number[]>()
  observations.forEach(({ person }, o) => groups.set(person, [...(groups.get(person) ?? []), scores[o]]))
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length
  const total = scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / Math.max(scores.length - 1, 1)
  let [within, freedom] = [0, 0]
  for (const group of groups.values()) {
    const center = group.reduce((a, b) => a + b, 0) / group.length
    for (const s of group) within += (s - center) ** 2
    freedom += group.length - 1
  }
  if (freedom === 0 || total === 0) return 0.5
  return Math.min(1, Math.max(0.05, 1 - within / freedom / total))
}
