/** Whether all numbers are 0: the highlights of models that know none. */
export function allZero(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return false
  return true
}
