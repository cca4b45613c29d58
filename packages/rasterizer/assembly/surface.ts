// The mesh as the search for silhouettes needs it: the numbers of src/cpu/projected-surface.ts to the last bit.

/** Fills points (24 bytes a vertex: x, y, w) and facing (1 byte a triangle) of one picture. */
export function projectSurface(
  clip: usize, count: i32, triangles: usize, faces: i32, width: f64, height: f64, points: usize, facing: usize,
): void {
  let p = points
  for (let i = 0; i < count; i++, clip += 16, p += 24) {
    const w = <f64>f32.load(clip, 12)
    f64.store(p, (<f64>f32.load(clip) + w) * 0.5 * width)
    f64.store(p, (w - <f64>f32.load(clip, 4)) * 0.5 * height, 8)
    f64.store(p, w, 16)
  }
  for (let f = 0; f < faces; f++, triangles += 12) {
    const a = points + <usize>i32.load(triangles) * 24
    const b = points + <usize>i32.load(triangles, 4) * 24
    const c = points + <usize>i32.load(triangles, 8) * 24
    const ax = f64.load(a), ay = f64.load(a, 8), aw = f64.load(a, 16)
    const bx = f64.load(b), by = f64.load(b, 8), bw = f64.load(b, 16)
    const d =
      f64.load(c) * (ay * bw - aw * by) + f64.load(c, 8) * (aw * bx - ax * bw) + f64.load(c, 16) * (ax * by - ay * bx)
    i32.store8(facing + f, i32(d > 0) - i32(d < 0))
  }
}
