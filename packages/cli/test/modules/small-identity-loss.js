import { mean, square } from '@tensorflow/tfjs-core'

/** As a person would write it: keeps identities near the mean face. */
export default ({ model }) => ({
  name: 'smallIdentity',
  weight: 0.5 / model.layout.identity,
  compute: ({ parameters }) => mean(square(parameters.identity)),
})
