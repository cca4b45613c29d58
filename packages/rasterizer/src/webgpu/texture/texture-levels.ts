/** WGSL: the four texels around a look-up in one level; as `locate` in cpu/texture/look-up.ts. For programs with the uniforms of
 * sample-texture.ts. */
export const locateTexels = /* wgsl */ `
  struct Corners {
    upperLeft: u32, upperRight: u32, lowerLeft: u32, lowerRight: u32,
    /** Weights of the right and of the lower texels. */
    right: f32, lower: f32,
    /** Columns and rows of the level. */
    size: vec2<f32>,
  }
  struct Level {
    first: i32,
    /** How much of the next level is in it. */
    part: f32,
  }
  fn isFinite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
  /** NaN; of something that is not known when the program is compiled, because a constant one is an error. */
  fn notANumber(q: u32) -> f32 { return bitcast<f32>(0x7fc00000u | (q & 1u)); }
  fn wrapIndex(index: f32, size: i32) -> u32 {
    let count = f32(size);
    var result = index;
    if (uniforms.wrap == 1) { result = index - floor(index / count) * count; }
    if (uniforms.wrap == 2) {
      result = index - floor(index / (2.0 * count)) * (2.0 * count);
      if (result >= count) { result = 2.0 * count - 1.0 - result; }
    }
    return u32(clamp(result, 0.0, count - 1.0));
  }
  fn locate(q: u32, at: vec2<f32>, level: i32) -> Corners {
    var rows = uniforms.rows;
    var columns = uniforms.columns;
    var start = 0u;
    for (var i = 0; i < level; i++) {
      start += u32(rows * columns);
      rows = max(1, rows >> 1u);
      columns = max(1, columns >> 1u);
    }
    var corners: Corners;
    corners.size = vec2<f32>(vec2<i32>(columns, rows));
    let x = fma(at.x, corners.size.x, -0.5);
    let y = fma(select(at.y, 1.0 - at.y, uniforms.lowerLeft == 1), corners.size.y, -0.5);
    let left = floor(x);
    let upper = floor(y);
    let x0 = wrapIndex(left, columns);
    let x1 = wrapIndex(left + 1.0, columns);
    let base = q / uniforms.lookUps * uniforms.stride + start;
    let y0 = base + wrapIndex(upper, rows) * u32(columns);
    let y1 = base + wrapIndex(upper + 1.0, rows) * u32(columns);
    corners.upperLeft = y0 + x0;
    corners.upperRight = y0 + x1;
    corners.lowerLeft = y1 + x0;
    corners.lowerRight = y1 + x1;
    corners.right = x - left;
    corners.lower = y - upper;
    return corners;
  }`

/** WGSL: the level of a texture that has but one. */
export const noLevels = /* wgsl */ `
  fn levelOf(q: u32) -> Level { return Level(0, 0.0); }`

/** WGSL: the levels of a look-up, by the texels that it moves from one pixel to the next. */
export const mipLevels = /* wgsl */ `
  fn levelOf(q: u32) -> Level {
    // (du/dx, du/dy, dv/dx, dv/dy)
    let d = derivatives[q] * vec4<f32>(vec2<f32>(f32(uniforms.columns)), vec2<f32>(f32(uniforms.rows)));
    let squared = max(d.x * d.x + d.z * d.z, d.y * d.y + d.w * d.w);
    if (!(squared > 1.0)) { return Level(0, 0.0); }
    let last = uniforms.levels - 1;
    if (!isFinite(squared)) { return Level(last, 0.0); }
    let level = min(0.5 * log2(squared), f32(last));
    let first = min(i32(floor(level)), last);
    return Level(first, level - f32(first));
  }`
