import { GROUP_SIZE, type GpuProgram } from './gpu-program.js'
import { edgeFunctions } from './gpu-snippets.js'

/* Contributor notes
 *
 * Two passes over the triangles: the first takes the minimum of the depths at each pixel, the second the minimum of the indices
 * of those triangles that have this depth. Minima do not depend on the order, so the same input gives the same picture. Both are
 * made by the same pipelines (`uniforms.pass` tells them apart), because another compilation of the same formula might
 * round otherwise and find no triangle of that depth.
 *
 * One thread a triangle, with a loop over its bounding box, is right for meshes of small triangles. A triangle with a larger box
 * goes onto a list, which is worked off by workgroups, each taking one band of rows of one triangle at a time. The list
 * has a fixed size; when it is full, the thread loops after all: then there are so many triangles that every thread is busy.
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

/** Largest box, in pixels, that one thread loops over. */
const SMALL = 128
/** Parts that a large triangle's rows are split into. */
export const BANDS = 8
/** Triangles on the list of large ones. */
export const LIST_SIZE = 65536
/** In place of a depth or an index: none. */
export const NO_KEY = 0x7fffffff

const triangle = /* wgsl */ `${edgeFunctions}
  struct Triangle { x : vec3<f32>, y : vec3<f32>, z : vec3<f32>, w : vec3<f32>, clipped : bool }
  struct Box { low : vec2<i32>, high : vec2<i32> }

  fn loadTriangle(job : i32) -> Triangle {
    let first = job / uniforms.triangleCount * uniforms.vertexCount;
    let f = 3 * (job % uniforms.triangleCount);
    let a = points[first + triangles[f]];
    let b = points[first + triangles[f + 1]];
    let c = points[first + triangles[f + 2]];
    var t = Triangle(vec3<f32>(a.x, b.x, c.x), vec3<f32>(a.y, b.y, c.y), vec3<f32>(a.z, b.z, c.z), vec3<f32>(a.w, b.w, c.w), false);
    t.clipped = any(t.w <= vec3<f32>(0.0)) || any(abs(t.z) > t.w);
    return t;
  }

  /** Pixels that the part between near and far may cover; low > high when there are none. */
  fn visibleBox(t : Triangle) -> Box {
    let none = Box(vec2<i32>(0), vec2<i32>(-1));
    let size = vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
    let half = 0.5 * size;
    let zero = vec3<f32>(0.0);
    if (all(t.w <= zero) || all(t.z < -t.w) || all(t.z > t.w)) { return none; }
    if (any((t.x == zero) & (t.y == zero) & (t.w == zero))) { return none; }
    var low = vec2<f32>(1e30);
    var high = vec2<f32>(-1e30);
    var margin = 0.0;
    if (all(t.w > zero)) {
      let x = t.x / t.w + half.x;
      let y = t.y / t.w + half.y;
      low = vec2<f32>(min(min(x.x, x.y), x.z), min(min(y.x, y.y), y.z));
      high = vec2<f32>(max(max(x.x, x.y), x.z), max(max(y.x, y.y), y.z));
      if (any(t.w != vec3<f32>(1.0))) { margin = 1.0; }
    } else {
      // Corners of the visible part: vertices between the planes, and where the edges cross the planes in front of the eye.
      margin = 1.0;
      for (var i = 0; i < 3; i++) {
        let j = (i + 1) % 3;
        let p = vec4<f32>(t.x[i], t.y[i], t.z[i], t.w[i]);
        let q = vec4<f32>(t.x[j], t.y[j], t.z[j], t.w[j]);
        if (abs(p.z) <= p.w) {
          if (p.w <= 0.0) { return Box(vec2<i32>(0), vec2<i32>(size) - 1); }
          let corner = p.xy / p.w + half;
          low = min(low, corner);
          high = max(high, corner);
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
          if (cut.w < 8.0 * doubt) { return Box(vec2<i32>(0), vec2<i32>(size) - 1); }
          let corner = cut.xy / cut.w;
          margin = max(margin, 1.0 + 4.0 * doubt / cut.w * (max(abs(corner.x), abs(corner.y)) + half.x + half.y)
            + 1e-6 * (max(max(abs(p.x), abs(q.x)), max(abs(p.y), abs(q.y)))) / cut.w);
          low = min(low, corner + half);
          high = max(high, corner + half);
        }
      }
    }
    low = clamp(ceil(low - 0.5 - margin), vec2<f32>(0.0), size);
    high = clamp(floor(high - 0.5 + margin), vec2<f32>(-1.0), size - 1.0);
    return Box(vec2<i32>(low), vec2<i32>(high));
  }

  /** The depth at a pixel's centre as an integer of the same order; ${NO_KEY} where the triangle is not. */
  fn keyAt(t : Triangle, column : i32, row : i32) -> i32 {
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
    let w = dot(e, t.w);
    if (!(w > 0.0)) { return ${NO_KEY}; }
    let depth = dot(e, t.z) / w;
    if (t.clipped && !(abs(depth) <= 1.0)) { return ${NO_KEY}; }
    // One zero, not two.
    let bits = select(bitcast<i32>(depth), 0, depth == 0.0);
    return select(bits, bits ^ 0x7fffffff, bits < 0);
  }

  /** \`result\`: depths, then indices of all pixels, then the length of the list of large triangles, then the list. */
  fn visit(t : Triangle, job : i32, column : i32, row : i32) {
    let key = keyAt(t, column, row);
    if (key == ${NO_KEY}) { return; }
    let pixels = uniforms.width * uniforms.height;
    let q = job / uniforms.triangleCount * pixels + row * uniforms.width + column;
    if (uniforms.pass_ == 0) {
      atomicMin(&result[q], key);
    } else if (atomicLoad(&result[q]) == key) {
      atomicMin(&result[uniforms.batch * pixels + q], job % uniforms.triangleCount);
    }
  }`

const inputs = ['points*', 'triangles']
const uniforms = ['pass_', 'batch', 'vertexCount', 'triangleCount', 'width', 'height', 'cull']

/** One thread for each triangle of each picture. */
export const smallProgram: GpuProgram = {
  name: 'facekit_rasterize_small',
  inputs,
  uniforms,
  atomic: true,
  code: /* wgsl */ `${triangle}
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let t = loadTriangle(index);
      let box = visibleBox(t);
      if (any(box.low > box.high)) { return; }
      let size = box.high - box.low + 1;
      if (size.x * size.y > ${SMALL}) {
        let length = 2 * uniforms.batch * uniforms.width * uniforms.height;
        if (uniforms.pass_ == 0) {
          let slot = atomicAdd(&result[length], 1);
          if (slot < ${LIST_SIZE}) {
            atomicStore(&result[length + 1 + slot], index);
            return;
          }
        } else if (atomicLoad(&result[length]) <= ${LIST_SIZE}) {
          return;
        }
      }
      for (var row = box.low.y; row <= box.high.y; row++) {
        for (var column = box.low.x; column <= box.high.x; column++) { visit(t, index, column, row); }
      }
    }`,
}

/** Workgroups that share the bands of the triangles on the list. */
export const largeProgram: GpuProgram & { groupSize: number } = {
  name: 'facekit_rasterize_large',
  inputs,
  uniforms,
  atomic: true,
  groupSize: GROUP_SIZE,
  code: /* wgsl */ `${triangle}
    fn main(index : i32) {
      let length = 2 * uniforms.batch * uniforms.width * uniforms.height;
      let bands = ${BANDS} * min(atomicLoad(&result[length]), ${LIST_SIZE});
      let lane = index % ${GROUP_SIZE};
      for (var band = index / ${GROUP_SIZE}; band < bands; band += uniforms.threads / ${GROUP_SIZE}) {
        let job = atomicLoad(&result[length + 1 + band / ${BANDS}]);
        let t = loadTriangle(job);
        let box = visibleBox(t);
        let size = box.high - box.low + 1;
        let rows = (size.y + ${BANDS - 1}) / ${BANDS};
        let top = box.low.y + band % ${BANDS} * rows;
        let count = min(rows, box.high.y - top + 1) * size.x;
        for (var i = lane; i < count; i += ${GROUP_SIZE}) { visit(t, job, box.low.x + i % size.x, top + i / size.x); }
      }
    }`,
}
