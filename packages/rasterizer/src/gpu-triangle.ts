/* Contributor notes
 *
 * Watertight: for a pixel, every vertex is moved by a rounded difference of its own, x - p_x, which is the same in all triangles.
 * From there on the signs of the edge functions are exact (gpu-snippets.ts), so the triangles are tested as an exact
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
  struct Triangle {
    x: vec3<f32>, y: vec3<f32>, z: vec3<f32>, w: vec3<f32>,
    /** Whether all vertices are in front of the eye and were divided by w; whether some part is before near or beyond far. */
    flat: bool, clipped: bool,
  }
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
    t.flat = all(t.w == vec3<f32>(1.0));
    t.clipped = any(t.w <= vec3<f32>(0.0)) || any(abs(t.z) > t.w);
    return t;
  }

  /** Bounds of the visible part while it is found: low x and y, high x and y, and the doubt about them. */
  var<private> bounds: vec4<f32>;
  var<private> margin: f32;
  var<private> unbounded: bool;
  fn extend(corner: vec2<f32>) {
    bounds = vec4<f32>(min(bounds.xy, corner), max(bounds.zw, corner));
  }
  /** Adds the first vertex, if it is between the planes, and where the edge crosses the planes in front of the eye. */
  fn extendByEdge(p: vec4<f32>, q: vec4<f32>, half: vec2<f32>) {
    if (abs(p.z) <= p.w) {
      if (p.w <= 0.0) { unbounded = true; return; }
      extend(p.xy / p.w);
    }
    for (var plane = -1.0; plane <= 1.0; plane += 2.0) {
      let inner = p.w + plane * p.z;
      let outer = q.w + plane * q.z;
      if ((inner >= 0.0) == (outer >= 0.0)) { continue; }
      let part = inner / (inner - outer);
      let cut = p + part * (q - p);
      // What is left of w after cancellation; where that is nothing, only the whole picture is safe.
      let doubt = 1e-6 * max(abs(p.w), abs(q.w));
      if (cut.w < -doubt) { continue; }
      if (cut.w < 8.0 * doubt) { unbounded = true; return; }
      let corner = cut.xy / cut.w;
      margin = max(margin, 1.0 + 4.0 * doubt / cut.w * (max(abs(corner.x), abs(corner.y)) + half.x + half.y)
        + 1e-6 * (max(max(abs(p.x), abs(q.x)), max(abs(p.y), abs(q.y)))) / cut.w);
      extend(corner);
    }
  }

  /** Pixels that the part between near and far may cover; low > high when there are none. */
  fn visibleBox(t: Triangle) -> Box {
    let size = vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
    let half = 0.5 * size;
    margin = 0.0;
    if (t.flat && !t.clipped) {
      bounds = vec4<f32>(min(min(t.x.x, t.x.y), t.x.z), min(min(t.y.x, t.y.y), t.y.z),
        max(max(t.x.x, t.x.y), t.x.z), max(max(t.y.x, t.y.y), t.y.z));
    } else {
      let zero = vec3<f32>(0.0);
      let none = Box(vec2<i32>(0), vec2<i32>(-1));
      if (all(t.w <= zero) || all(t.z < -t.w) || all(t.z > t.w)) { return none; }
      if (any((t.x == zero) & (t.y == zero) & (t.w == zero))) { return none; }
      margin = 1.0;
      if (all(t.w > zero)) {
        let x = t.x / t.w;
        let y = t.y / t.w;
        bounds = vec4<f32>(min(min(x.x, x.y), x.z), min(min(y.x, y.y), y.z),
          max(max(x.x, x.y), x.z), max(max(y.x, y.y), y.z));
      } else {
        bounds = vec4<f32>(1e30, 1e30, -1e30, -1e30);
        unbounded = false;
        let a = vec4<f32>(t.x.x, t.y.x, t.z.x, t.w.x);
        let b = vec4<f32>(t.x.y, t.y.y, t.z.y, t.w.y);
        let c = vec4<f32>(t.x.z, t.y.z, t.z.z, t.w.z);
        extendByEdge(a, b, half);
        extendByEdge(b, c, half);
        extendByEdge(c, a, half);
        if (unbounded) { return Box(vec2<i32>(0), vec2<i32>(size) - 1); }
      }
    }
    let low = clamp(ceil(bounds.xy + (half - 0.5) - margin), vec2<f32>(0.0), size);
    let high = clamp(floor(bounds.zw + (half - 0.5) + margin), vec2<f32>(-1.0), size - 1.0);
    return Box(vec2<i32>(low), vec2<i32>(high));
  }

  /** The key of the depth at a pixel's centre; ${NO_KEY} where the triangle is not. */
  fn keyAt(t: Triangle, column: i32, row: i32) -> i32 {
    let offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
    let zero = vec3<f32>(0.0);
    var e = edgeFunctions(fma(t.w, vec3<f32>(offset.x), t.x), fma(t.w, vec3<f32>(offset.y), t.y));
    let clockwise = any(e > zero);
    if (clockwise == any(e < zero)) { return ${NO_KEY}; }
    if (uniforms.cull == select(2, 1, clockwise)) { return ${NO_KEY}; }
    if (any(e == zero)) {
      // The edge from vertex i + 1 to i + 2 as a line; its inside is where e > 0.
      var normalX = differenceOfProducts(t.y.yzx, t.w.zxy, t.w.yzx, t.y.zxy);
      var normalY = differenceOfProducts(t.w.yzx, t.x.zxy, t.x.yzx, t.w.zxy);
      normalX = select(-normalX, normalX, clockwise);
      normalY = select(-normalY, normalY, clockwise);
      let owns = (normalX > zero) | ((normalX == zero) & (normalY > zero));
      if (any((e == zero) & !owns)) { return ${NO_KEY}; }
    }
    e = abs(e);
    if (t.flat) {
      let sum = e.x + e.y + e.z;
      if (!(sum > 0.0)) { return ${NO_KEY}; }
      // Of the same depth everywhere where all vertices are.
      let depth = t.z.x + fma(e.y, t.z.y - t.z.x, e.z * (t.z.z - t.z.x)) / sum;
      if (t.clipped && !(abs(depth) <= 1.0)) { return ${NO_KEY}; }
      return keyOfDepth(depth);
    }
    let w = dot(e, t.w);
    if (!(w > 0.0)) { return ${NO_KEY}; }
    let depth = dot(e, t.z) / w;
    if (t.clipped && !(abs(depth) <= 1.0)) { return ${NO_KEY}; }
    return keyOfDepth(depth);
  }`
