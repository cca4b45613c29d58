import * as tf from '@tensorflow/tfjs-core'

/** Follows variables by moving averages, every so many steps: `average = decay average + (1 - decay) value`. The averages are variables, too, so
 * that checkpoints keep them.
 *
 * A training that ends before its learning rate has fallen is worth more so: the weights still jump about.
 */
export function weightAverage(
  variables: Readonly<Record<string, tf.Variable>>,
  { every, decay }: { every: number; decay: number },
) {
  const pairs = Object.entries(variables).map(([name, variable]) => ({
    name: `average/${name}`,
    variable,
    average: tf.tidy(() => tf.variable(tf.add(variable, 0), false)),
  }))
  let steps = 0
  return {
    variables: Object.fromEntries(pairs.map(({ name, average }) => [name, average])),
    /** Call it before each step. */
    follow(): void {
      if (steps++ % every !== 0 || steps === 1) return
      // The start is forgotten fast.
      const rate = Math.max(1 - decay, 1 / (1 + steps / every))
      for (const { variable, average } of pairs) {
        tf.tidy(() => average.assign(tf.add(average, tf.mul(tf.sub(variable, average), rate))))
      }
    },
    state: () => steps,
    restore: (state: number) => void (steps = state),
    /** Puts the averages in the variables' place. */
    apply(): void {
      for (const { variable, average } of pairs) tf.tidy(() => variable.assign(tf.add(average, 0)))
    },
    dispose: () => tf.dispose(pairs.map(({ average }) => average)),
  }
}
