import { type GpuProgram, sineAndCosine, wgslMain } from '@facekit/kernels'
import { CAMERA, cameraFunctions } from './camera-functions.js'

/** Smallest w that is divided by; see `clipToPixels`. */
const SMALLEST_W = '1e-3'

/** Vertices among which each landmark is chosen, and the landmarks for which each of those vertices may be. */
export interface LandmarkTables {
  /** `L + 1` places, then the candidates. */
  candidates: Int32Array
  /** Vertices that are a candidate, U; for each the place of its landmarks, `U + 1`; the landmarks. */
  vertices: Int32Array
  /** L and U. */
  landmarkCount: number
  vertexCount: number
}

/** Inverts a list of candidates for each landmark. */
export function landmarkTables(rows: readonly ArrayLike<number>[]): LandmarkTables {
  const [candidates] = flatten(rows)
  const uses = new Map<number, number[]>()
  for (const [landmark, row] of rows.entries()) {
    for (const vertex of new Set(Array.from(row))) uses.set(vertex, [...(uses.get(vertex) ?? []), landmark])
  }
  const [lists] = flatten([...uses.values()], uses.size)
  return {
    candidates,
    vertices: Int32Array.from([...uses.keys(), ...lists]),
    landmarkCount: rows.length,
    vertexCount: uses.size,
  }
}

/** Places of rows in one array, counted from `before` numbers in front of it, then the rows. */
function flatten(rows: readonly ArrayLike<number>[], before = 0): [Int32Array] {
  const numbers: number[] = []
  let place = before + rows.length + 1
  for (const row of rows) {
    numbers.push(place)
    place += row.length
  }
  return [Int32Array.from([...numbers, place, ...rows.flatMap((row) => Array.from(row))])]
}

/** The first `jaw` landmarks are the outermost of their candidates, the others the only one; see `visibleJaw`. */
export const chooseLandmarks: GpuProgram = {
  name: 'facekit_landmarks',
  inputs: ['clip: vec4<f32>', 'candidates: i32', 'rotation: f32'],
  outputs: ['pixels: f32', 'chosen: i32'],
  uniforms: ['count: u32', 'batch: u32', 'landmarks: u32', 'jaw: u32', 'width: f32', 'height: f32'],
  code: /* wgsl */ `${sineAndCosine}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.landmarks * uniforms.batch) { return; }
      let landmark = index % uniforms.landmarks;
      let item = index / uniforms.landmarks;
      let turn = sineAndCosine(rotation[3u * item + 2u]);
      let outward = sineAndCosine(3.14159265 * f32(landmark) / f32(max(uniforms.jaw, 2u) - 1u));
      var best = u32(candidates[candidates[landmark]]);
      var most = 0f;
      for (var i = candidates[landmark]; landmark < uniforms.jaw && i < candidates[landmark + 1u]; i++) {
        let point = clip[item * uniforms.count + u32(candidates[i])];
        let w = max(point.w, ${SMALLEST_W});
        let x = point.x / w * (uniforms.width / uniforms.height);
        let y = point.y / w;
        let right = x * turn.y + y * turn.x;
        let up = y * turn.y - x * turn.x;
        let score = -right * outward.y - up * outward.x;
        if (i == candidates[landmark] || score > most) {
          most = score;
          best = u32(candidates[i]);
        }
      }
      chosen[index] = i32(best);
      let point = clip[item * uniforms.count + best];
      let w = max(point.w, ${SMALLEST_W});
      pixels[2u * index] = (point.x / w + 1.0) * 0.5 * uniforms.width;
      pixels[2u * index + 1u] = (1.0 - point.y / w) * 0.5 * uniforms.height;`)}`,
}

/** Adds to the gradient of those vertices that were chosen. */
export const landmarksBackward: GpuProgram = {
  name: 'facekit_landmarks_gradient',
  inputs: ['clip: vec4<f32>', 'vertices: i32', 'chosen: i32', 'toPixels: f32'],
  outputs: ['toRing: f32'],
  uniforms: [
    'count: u32',
    'batch: u32',
    'landmarks: u32',
    'used: u32',
    'width: f32',
    'height: f32',
    ...CAMERA,
  ],
  code: /* wgsl */ `${cameraFunctions}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.used * uniforms.batch) { return; }
      let slot = index % uniforms.used;
      let item = index / uniforms.used;
      let vertex = vertices[slot];
      let place = item * uniforms.count + u32(vertex);
      let point = clip[place];
      let w = max(point.w, ${SMALLEST_W});
      var g = vec4<f32>();
      for (var i = vertices[uniforms.used + slot]; i < vertices[uniforms.used + slot + 1u]; i++) {
        let landmark = item * uniforms.landmarks + u32(vertices[i]);
        if (chosen[landmark] != vertex) { continue; }
        let x = 0.5 * uniforms.width * toPixels[2u * landmark] / w;
        let y = -0.5 * uniforms.height * toPixels[2u * landmark + 1u] / w;
        g += vec4<f32>(x, y, 0.0, select(0.0, -(x * point.x + y * point.y) / w, point.w > ${SMALLEST_W}));
      }
      let back = projectBack(g);
      for (var c = 0u; c < 3u; c++) { toRing[3u * place + c] += back[c]; }`)}`,
}

/** Zeros, where there are no normals whose gradient the landmarks' could be added to. */
export const clear: GpuProgram = {
  name: 'facekit_clear',
  inputs: [],
  outputs: ['result: f32'],
  uniforms: ['size: u32'],
  code: wgslMain('if (index < uniforms.size) { result[index] = 0.0; }'),
}
