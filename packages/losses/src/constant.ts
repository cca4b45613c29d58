import { clone, customGrad, scalar, tidy, zerosLike, type Tensor } from '@tensorflow/tfjs-core'

/** The same values, as a constant: no gradient flows back, and none is computed (elsewhere stop-gradient or detach).
 *
 * @memory the caller owns the result
 */
export function constant<T extends Tensor>(x: T): T {
  // x is captured instead of passed, so tfjs does not see that the result depends on it: what x was made from is not
  // differentiated at all, where a gradient of zeros would run all the way back through a renderer.
  return tidy(
    () =>
      customGrad((nothing) => ({
        value: clone(x),
        gradFunc: () => zerosLike(nothing as Tensor),
      }))(scalar(0)) as T,
  )
}
