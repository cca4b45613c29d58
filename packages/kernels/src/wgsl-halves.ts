/** WGSL: numbers of 16 bits (IEEE 754 binary16), as programs with bindings of `half4` and `half8` find them: four and eight of them, `widen4`,
 * `narrow4` and `narrow8` go from and to float32.
 *
 * Words of 32 bits with two halves each, in functions that every WebGPU has: storage in halves needs no `shader-f16`. What is too large for a half
 * becomes infinite on NVIDIA GPUs and NaN in SwiftShader; WGSL promises nothing.
 */
export const wgslHalves = /* wgsl */ `
  alias half4 = vec2<u32>;
  alias half8 = vec4<u32>;
  fn widen4(value: half4) -> vec4<f32> { return vec4<f32>(unpack2x16float(value.x), unpack2x16float(value.y)); }
  fn narrow4(value: vec4<f32>) -> half4 { return half4(pack2x16float(value.xy), pack2x16float(value.zw)); }
  fn narrow8(low: vec4<f32>, high: vec4<f32>) -> half8 { return half8(narrow4(low), narrow4(high)); }`
