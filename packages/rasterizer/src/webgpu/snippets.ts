/** One program for each number of channels. */
export function byChannels<T>(make: (channels: number) => T): (channels: number) => T {
  const made = new Map<number, T>()
  return (channels) => {
    let result = made.get(channels)
    if (result === undefined) made.set(channels, (result = make(channels)))
    return result
  }
}

/** Type of what is read and written at a time, and how many there are of it. */
export const vectors = (channels: number): [string, number] =>
  channels % 4 === 0 ? ['vec4<f32>', channels / 4] : ['f32', channels]

/** Invocations in a workgroup: as many as any device has, since a GPU starts about one workgroup in a nanosecond, however small. */
export const GROUP_SIZE = 256

/** WGSL: what an invocation of workgroups of `GROUP_SIZE`, spread by `workgroupsFor`, gets, and its index. */
export const entry = /* wgsl */ `@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32`
export const linearIndex = /* wgsl */ `
  fn linearIndex(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * ${GROUP_SIZE}u + local;
  }`

/** WGSL: a b - c d. Kahan's algorithm: with a fused multiply-add the result is right to 1.5 units in the last place, so its sign
 * is exact; without one it is the difference of the two rounded products. Either way it changes its sign, and nothing else,
 * when (a, c) and (d, b) change places, which is what makes shared edges watertight. */
export const differenceOfProducts = /* wgsl */ `
  fn differenceOfProducts(a : vec3<f32>, b : vec3<f32>, c : vec3<f32>, d : vec3<f32>) -> vec3<f32> {
    let product = c * d;
    let error = fma(-c, d, product);
    return fma(a, b, -product) + error;
  }`

/** WGSL: the three edge functions of a triangle at the origin; component i is that of the edge which faces vertex i. */
export const edgeFunctions = /* wgsl */ `${differenceOfProducts}
  fn edgeFunctions(u : vec3<f32>, v : vec3<f32>) -> vec3<f32> {
    return differenceOfProducts(u.yzx, v.zxy, v.yzx, u.zxy);
  }`

/** WGSL: the power of two that brings the largest of |x|, |y|, |w| into 1..2. A vertex in clip space may be scaled by any positive
 * factor, and without that products of huge coordinates would overflow. */
export const unitScale = /* wgsl */ `
  fn unitScale(clip : vec4<f32>) -> f32 {
    let largest = max(max(abs(clip.x), abs(clip.y)), abs(clip.w));
    let exponent = clamp((bitcast<u32>(largest) >> 23u) & 255u, 1u, 253u);
    return bitcast<f32>((254u - exponent) << 23u);
  }`

/** WGSL: a vertex relative to a pixel, in homogeneous pixel space: u = x W/2 + w (W/2 - p_x), v = w (H/2 - p_y) - y H/2, to the last
 * place, since the error of the one product that is rounded is added again. */
export const relativeVertex = /* wgsl */ `
  fn weightedSum(a : f32, b : f32, c : f32, d : f32) -> f32 {
    let product = c * d;
    let error = fma(c, d, -product);
    return fma(a, b, product) + error;
  }
  fn relativeVertex(clip : vec4<f32>, half : vec2<f32>, offset : vec2<f32>) -> vec2<f32> {
    return vec2<f32>(weightedSum(clip.x, half.x, clip.w, offset.x), weightedSum(-clip.y, half.y, clip.w, offset.y));
  }`

/** WGSL: perspective-correct barycentrics of a pixel's triangle and what their derivative needs; wants `edgeFunctions`. `offset` is the picture's middle
 * minus the pixel's centre. */
export const barycentricsAt = /* wgsl */ `${unitScale}${relativeVertex}
  struct Corners {
    u : vec3<f32>, v : vec3<f32>,
    /** The factor that each vertex was multiplied by. */
    scale : vec3<f32>,
    /** The same over the largest of the three, times the edge function: the weights that barycentrics are normalised from. */
    ratio : vec3<f32>, weights : vec3<f32>,
  }
  fn cornersAt(a : vec4<f32>, b : vec4<f32>, c : vec4<f32>, half : vec2<f32>, offset : vec2<f32>) -> Corners {
    var corners : Corners;
    corners.scale = vec3<f32>(unitScale(a), unitScale(b), unitScale(c));
    let p = relativeVertex(a * corners.scale.x, half, offset);
    let q = relativeVertex(b * corners.scale.y, half, offset);
    let r = relativeVertex(c * corners.scale.z, half, offset);
    corners.u = vec3<f32>(p.x, q.x, r.x);
    corners.v = vec3<f32>(p.y, q.y, r.y);
    corners.ratio = corners.scale / max(max(corners.scale.x, corners.scale.y), corners.scale.z);
    corners.weights = edgeFunctions(corners.u, corners.v) * corners.ratio;
    return corners;
  }`
