import { Matrix, solve } from 'ml-matrix'

/** `[12]` the affine function that is nearest to values at places: a 3 x 3 matrix row by row, then what is added. */
export function fitAffine(places: readonly number[][], values: readonly number[][]): number[] {
  const found = solve(
    new Matrix(places.map((place) => [...place, 1])),
    new Matrix(values as number[][]),
    true,
  )
  const at = (row: number, column: number) => found.get(row, column)
  return [...[0, 1, 2].flatMap((c) => [at(0, c), at(1, c), at(2, c)]), ...[0, 1, 2].map((c) => at(3, c))]
}
