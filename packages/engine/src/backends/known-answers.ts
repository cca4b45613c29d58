import {
  add,
  concat,
  conv2d,
  matMul,
  mul,
  relu,
  reshape,
  sum,
  tensor,
  tensor4d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core'

/** Whole numbers that look like no pattern, small enough that half precision holds every sum of their products. */
const numbers = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i * step) % 7) - 3)

/** Sides of the product, and of the pictures of the convolution. */
const [ROWS, INNER, COLUMNS, SIDE] = [19, 13, 11, 6] as const

/** What the current backend computes from known numbers, and what is right: a driver or a kernel that is wrong shows here and not in a face.
 *
 * A product of matrices, a convolution, sums along an axis, a transposition, and arithmetic over broadcast shapes; all exact.
 *
 * @returns the first number that is wrong, in words; nothing when all are right
 * @throws whatever the backend throws
 */
export async function wrongAnswer(): Promise<string | undefined> {
  const [a, b] = [numbers(ROWS * INNER, 3), numbers(INNER * COLUMNS, 5)]
  const [pictures, filter] = [numbers(SIDE * SIDE * 2, 5), numbers(9 * 2 * 3, 2)]
  const answers = tidy(() => {
    const product = matMul(tensor(a, [ROWS, INNER]), tensor(b, [INNER, COLUMNS]))
    const convolved = conv2d(
      tensor4d(pictures, [1, SIDE, SIDE, 2]),
      tensor4d(filter, [3, 3, 2, 3]),
      1,
      'valid',
    )
    const parts = [
      product,
      convolved,
      sum(product, 0),
      transpose(product),
      relu(add(mul(product, 2), tensor(b.subarray(0, COLUMNS), [COLUMNS]))),
    ]
    return concat(parts.map((part) => reshape(part, [-1])))
  })
  const found = await answers.data()
  answers.dispose()
  const right = rightAnswers(a, b, pictures, filter)
  const wrong = right.findIndex((value, i) => found[i] !== value)
  return wrong < 0 ? undefined : `it computes wrong numbers: ${found[wrong]} instead of ${right[wrong]}`
}

function rightAnswers(
  a: Float32Array,
  b: Float32Array,
  pictures: Float32Array,
  filter: Float32Array,
): number[] {
  const range = (count: number) => Array.from({ length: count }, (_, i) => i)
  const total = (values: number[]) => values.reduce((left, right) => left + right, 0)
  const product = range(ROWS).map((i) =>
    range(COLUMNS).map((j) => total(range(INNER).map((k) => a[i * INNER + k] * b[k * COLUMNS + j]))),
  )
  const valid = range(SIDE - 2)
  const convolved = valid.flatMap((y) =>
    valid.flatMap((x) =>
      range(3).map((channel) =>
        total(
          range(9 * 2).map((k) => {
            const [row, column, input] = [Math.floor(k / 6), Math.floor(k / 2) % 3, k % 2]
            return pictures[((y + row) * SIDE + x + column) * 2 + input] * filter[k * 3 + channel]
          }),
        ),
      ),
    ),
  )
  return [
    ...product.flat(),
    ...convolved,
    ...range(COLUMNS).map((j) => total(product.map((row) => row[j]))),
    ...range(COLUMNS).flatMap((j) => product.map((row) => row[j])),
    ...product.flatMap((row) => row.map((value, j) => Math.max(0, 2 * value + b[j]))),
  ]
}
