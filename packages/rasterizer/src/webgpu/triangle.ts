/* Contributor notes
 *
 * Watertight: for a pixel, every vertex is moved by a rounded difference of its own, x - p_x, which is the same in all triangles.
 * From there on the signs of the edge functions are exact (snippets.ts), so the triangles are tested as an exact
 * rasterizer would test a mesh that was moved by less than 1e-5 pixels. The orientation is taken from those signs as well, and
 * never from an area that was rounded on its own. A centre that lies on an edge belongs to the triangle for which the edge is a
 * top or a left one.
 *
 * Nothing is clipped: vertices behind the eye go into the same edge functions in homogeneous coordinates (Olano and Greer,
 * "Triangle scan conversion using 2D homogeneous coordinates", 1997), and each pixel's depth is tested against near and far.
 */

/** In place of a depth's key or an index: none. */
export const NO_KEY = 0x7fffffff

/** WGSL: a depth as an integer of the same order. */
export const keyOfDepth = /* wgsl */ `
  fn keyOfDepth(depth: f32) -> i32 {
    // One zero, not two.
    let bits = select(bitcast<i32>(depth), 0, depth == 0.0);
    return select(bits, bits ^ 0x7fffffff, bits < 0);
  }`

/** WGSL: triangles, the pixels around them, and what they are at a pixel. For programs with `points`, `triangles` and the uniforms
 * `vertexCount`, `width`, `height`, `cull`; needs `edgeFunctions` and
 * `keyOfDepth`. */
export const triangleTests = /* wgsl */ `
  struct Triangle { x: vec3<f32>, y: vec3<f32>, z: vec3<f32>, w: vec3<f32> }
  struct Box { low: vec2<i32>, high: vec2<i32> }

  fn loadTriangle(item: i32, f: i32) -> Triangle {
    let first = item * uniforms.vertexCount;
    let a = points[first + triangles[3 * f]];
    let b = points[first + triangles[3 * f + 1]];
    let c = points[first + triangles[3 * f + 2]];
    var t: Triangle;
    t.x = vec3<f32>(a.x, b.x, c.x);
    t.y = vec3<f32>(a.y, b.y, c.y);
    t.z = vec3<f32>(a.z, b.z, c.z);
    t.w = vec3<f32>(a.w, b.w, c.w);
    return t;
  }
  /** Whether all vertices were divided by w and are between near and far. */
  fn isPlain(t: Triangle) -> bool { return all((t.w == vec3<f32>(1.0)) & (abs(t.z) <= vec3<f32>(1.0))); }
  /** Whether no part is between near and far in front of the eye, or a vertex is not finite. */
  fn isOutside(t: Triangle) -> bool {
    let zero = vec3<f32>(0.0);
    return all(t.w <= zero) || all(t.z < -t.w) || all(t.z > t.w) || any((t.x == zero) & (t.y == zero) & (t.w == zero));
  }

  /** Pixels whose centres a triangle with all of its vertices between near and far may have; low > high when there are none. */
  fn boxOf(t: Triangle) -> Box {
    let size = vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
    let low = vec2<f32>(min(min(t.x.x, t.x.y), t.x.z), min(min(t.y.x, t.y.y), t.y.z)) + (0.5 * size - 0.5);
    let high = vec2<f32>(max(max(t.x.x, t.x.y), t.x.z), max(max(t.y.x, t.y.y), t.y.z)) + (0.5 * size - 0.5);
    return Box(vec2<i32>(clamp(ceil(low), vec2<f32>(0.0), size)), vec2<i32>(clamp(floor(high), vec2<f32>(-1.0), size - 1.0)));
  }

  /** The key of the depth at a pixel's centre; ${NO_KEY} where the triangle is not. For plain ones. */
  fn plainKeyAt(t: Triangle, column: i32, row: i32) -> i32 {
    let offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
    let zero = vec3<f32>(0.0);
    var e = edgeFunctions(t.x + offset.x, t.y + offset.y);
    let clockwise = any(e > zero);
    if (clockwise == any(e < zero)) { return ${NO_KEY}; }
    if (uniforms.cull == select(2, 1, clockwise)) { return ${NO_KEY}; }
    if (any(e == zero)) {
      // The edge from vertex i + 1 to i + 2 as a line; its inside is where e > 0.
      let turn = select(-1.0, 1.0, clockwise);
      let normalX = (t.y.yzx - t.y.zxy) * turn;
      let normalY = (t.x.zxy - t.x.yzx) * turn;
      let owns = (normalX > zero) | ((normalX == zero) & (normalY > zero));
      if (any((e == zero) & !owns)) { return ${NO_KEY}; }
    }
    e = abs(e);
    let sum = e.x + e.y + e.z;
    if (!(sum > 0.0)) { return ${NO_KEY}; }
    // Of the same depth everywhere where all vertices are.
    return keyOfDepth(t.z.x + fma(e.y, t.z.y - t.z.x, e.z * (t.z.z - t.z.x)) / sum);
  }
  `

/** WGSL: the same for any triangle; needs `triangleTests`. */
export const anyTriangleTests = /* wgsl */ `
  fn keyAt(t: Triangle, column: i32, row: i32) -> i32 {
    if (isPlain(t)) { return plainKeyAt(t, column, row); }
    let offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
    let zero = vec3<f32>(0.0);
    var e = edgeFunctions(fma(t.w, vec3<f32>(offset.x), t.x), fma(t.w, vec3<f32>(offset.y), t.y));
    let clockwise = any(e > zero);
    if (clockwise == any(e < zero)) { return ${NO_KEY}; }
    if (uniforms.cull == select(2, 1, clockwise)) { return ${NO_KEY}; }
    if (any(e == zero)) {
      var normalX = differenceOfProducts(t.y.yzx, t.w.zxy, t.w.yzx, t.y.zxy);
      var normalY = differenceOfProducts(t.w.yzx, t.x.zxy, t.x.yzx, t.w.zxy);
      normalX = select(-normalX, normalX, clockwise);
      normalY = select(-normalY, normalY, clockwise);
      let owns = (normalX > zero) | ((normalX == zero) & (normalY > zero));
      if (any((e == zero) & !owns)) { return ${NO_KEY}; }
    }
    e = abs(e);
    let w = dot(e, t.w);
    if (!(w > 0.0)) { return ${NO_KEY}; }
    let depth = dot(e, t.z) / w;
    if (!(abs(depth) <= 1.0)) { return ${NO_KEY}; }
    return keyOfDepth(depth);
  }`
