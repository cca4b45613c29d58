/** An array with its shape. */
export interface ShapedArray {
  shape: readonly number[]
  /** Row-major. */
  data: ArrayLike<number>
}
