/** WGSL: the camera's matrix, whose 16 numbers, column by column, are uniforms. */
export const CAMERA = Array.from({ length: 16 }, (_, i) => `m${i}: f32`)
export const cameraFunctions = /* wgsl */ `
  fn project(v: vec3<f32>) -> vec4<f32> {
    return v.x * vec4<f32>(uniforms.m0, uniforms.m1, uniforms.m2, uniforms.m3)
      + v.y * vec4<f32>(uniforms.m4, uniforms.m5, uniforms.m6, uniforms.m7)
      + v.z * vec4<f32>(uniforms.m8, uniforms.m9, uniforms.m10, uniforms.m11)
      + vec4<f32>(uniforms.m12, uniforms.m13, uniforms.m14, uniforms.m15);
  }
  fn projectBack(g: vec4<f32>) -> vec3<f32> {
    return vec3<f32>(
      dot(g, vec4<f32>(uniforms.m0, uniforms.m1, uniforms.m2, uniforms.m3)),
      dot(g, vec4<f32>(uniforms.m4, uniforms.m5, uniforms.m6, uniforms.m7)),
      dot(g, vec4<f32>(uniforms.m8, uniforms.m9, uniforms.m10, uniforms.m11)));
  }`
