import { fill, ones, zeros } from '@tensorflow/tfjs-core'

/** The same grey picture again and again. */
export default ({ batch, size }) => {
  let given = 0
  const next = () => [
    fill([batch, size, size, 3], 0.5),
    ones([batch, size, size, 1]),
    ones([batch, size, size, 1]),
    zeros([batch, size, size, 1]),
    fill([batch, 68, 2], size / 2),
  ]
  return {
    next: async () => (given++, next()),
    state: () => given,
    restore: (state) => (given = state),
    heldOut: [next()],
  }
}
