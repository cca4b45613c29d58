/* Contributor notes
 *
 * WGSL lets compilers assume that there is no NaN: `x != x` is false for one (Dawn 0.6 on Vulkan), `max(x, 0)`, `clamp` and `exp` may make it a
 * number. Its bits don't lie.
 */

/** WGSL: which numbers of `value` are NaN.
 *
 * @param type - of `value`: `f32` or a vector of it
 */
export const isNaNCode = (value: string, type: string): string => {
  const bits = type.replace('f32', 'u32')
  return `((bitcast<${bits}>(${value}) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u))`
}

/** WGSL: `result`, but `value` where that is NaN. */
export const keepNaN = (value: string, result: string, type: string): string =>
  `select(${result}, ${value}, ${isNaNCode(value, type)})`
