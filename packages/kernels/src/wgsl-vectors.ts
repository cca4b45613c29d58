/** WGSL: three numbers of an array at once, read or written. */
export const load3 = (name: string, index: string) =>
  `vec3<f32>(${name}[${index}], ${name}[${index} + 1u], ${name}[${index} + 2u])`
export const store3 = (name: string, index: string, value: string) =>
  [0, 1, 2].map((c) => `${name}[${index} + ${c}u] = ${value}[${c}];`).join(' ')

/** WGSL: sine and cosine to the last digits, where those of hardware are off by 5e-4 (what WebGPU allows). */
export const sineAndCosine = /* wgsl */ `
  fn sineAndCosine(angle: f32) -> vec2<f32> {
    let quarter = round(angle * 0.63661977);
    let x = ((angle - quarter * 1.5703125) - quarter * 4.837513e-4) - quarter * 7.549790e-8;
    let s = x * x;
    let sine = x + x * s * (-1.6666654611e-1 + s * (8.3321608736e-3 - s * 1.9515295891e-4));
    let cosine = 1.0 - 0.5 * s + s * s * (4.166664568e-2 + s * (-1.388731625e-3 + s * 2.443315712e-5));
    switch (i32(quarter) & 3) {
      case 0: { return vec2<f32>(sine, cosine); }
      case 1: { return vec2<f32>(cosine, -sine); }
      case 2: { return vec2<f32>(-sine, -cosine); }
      default: { return vec2<f32>(-cosine, sine); }
    }
  }`
