import { customGrad, type Tensor } from '@tensorflow/tfjs-core'

/** A function of one tensor with a gradient in closed form: tfjs' `customGrad`, with types.
 *
 * @param forward - value, and the tensors that the gradient needs; tensors that it only captures are constants
 * @param backward - gradient with respect to x, from the gradient of the value
 */
export function customGradient(
  x: Tensor,
  forward: (x: Tensor) => { value: Tensor; saved: Tensor[] },
  backward: (dy: Tensor, saved: Tensor[]) => Tensor,
): Tensor {
  return customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, (tensors: Tensor[]) => void]
    const { value, saved } = forward(x)
    save(saved)
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy, saved) }
  })(x)
}
