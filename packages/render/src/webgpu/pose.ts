import { type GpuProgram, load3, sineAndCosine, store3, wgslGroupSum, wgslMain } from '@facekit/kernels'
import { CAMERA, cameraFunctions } from './camera-functions.js'

/** Numbers of a picture's pose: the rotation matrix row by row, the translation, the scale. */
export const POSE = 16
/** Numbers of a sum of the gradient: nine of the matrix, three of the translation. */
export const POSE_SUMS = 12
/** Vertices that a workgroup adds up. */
export const BLOCK = 256
const SIZE = 64

const rotation = /* wgsl */ `${sineAndCosine}
  /** R = Rz(roll) Ry(yaw) Rx(pitch), row by row, of the sines and cosines of pitch, yaw and roll. */
  fn rotationOf(x: vec2<f32>, y: vec2<f32>, z: vec2<f32>) -> array<f32, 9> {
    return array(
      z.y * y.y, z.y * y.x * x.x - z.x * x.y, z.y * y.x * x.y + z.x * x.x,
      z.x * y.y, z.x * y.x * x.x + z.y * x.y, z.x * y.x * x.y - z.y * x.x,
      -y.x, y.y * x.x, y.y * x.y);
  }`

export const packPose: GpuProgram = {
  name: 'facekit_pose_pack',
  inputs: ['rotation: f32', 'translation: f32', 'scale: f32'],
  outputs: ['poses: f32'],
  uniforms: ['batch: u32'],
  code: /* wgsl */ `${rotation}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.batch) { return; }
      let angles = ${load3('rotation', '3u * index')};
      let r = rotationOf(sineAndCosine(angles.x), sineAndCosine(angles.y), sineAndCosine(angles.z));
      for (var k = 0u; k < 9u; k++) { poses[index * ${POSE}u + k] = r[k]; }
      for (var k = 0u; k < 3u; k++) { poses[index * ${POSE}u + 9u + k] = translation[3u * index + k]; }
      poses[index * ${POSE}u + 12u] = scale[index];`)}`,
}

/** The rows of a picture's matrix, times the scale, its translation and its scale. */
const readPose = (item: string) => /* wgsl */ `
  let at = ${item} * ${POSE}u;
  let scale = poses[at + 12u];
  let row0 = scale * ${load3('poses', 'at')};
  let row1 = scale * ${load3('poses', 'at + 3u')};
  let row2 = scale * ${load3('poses', 'at + 6u')};
  let moved = ${load3('shape', '3u * point')} + ${load3('poses', 'at + 9u')};`

export const placeVertices: GpuProgram = {
  name: 'facekit_place_vertices',
  inputs: ['shape: f32', 'poses: f32'],
  outputs: ['vertices: f32', 'clip: vec4<f32>'],
  uniforms: ['count: u32', 'batch: u32', ...CAMERA],
  code: /* wgsl */ `${cameraFunctions}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.count * uniforms.batch) { return; }
      let point = index;
      ${readPose('(index / uniforms.count)')}
      let v = vec3<f32>(dot(row0, moved), dot(row1, moved), dot(row2, moved));
      ${store3('vertices', '3u * point', 'v')}
      clip[point] = project(v);`)}`,
}

/** `flags` of 1: there is a gradient of the clip space; of 2: of the vertices; of 4: one of the vertices that was made here. */
export const placeBackward: GpuProgram = {
  name: 'facekit_place_gradient',
  inputs: ['shape: f32', 'poses: f32', 'toClip: vec4<f32>', 'toVertices: f32', 'toRing: f32'],
  outputs: ['toShape: f32', 'sums: f32'],
  uniforms: ['count: u32', 'flags: u32', ...CAMERA],
  code: /* wgsl */ `${cameraFunctions}${wgslGroupSum(3, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      for (var i = local; i < ${BLOCK}u; i += ${SIZE}u) {
        let place = group.x * ${BLOCK}u + i;
        if (place >= uniforms.count) { break; }
        let point = group.y * uniforms.count + place;
        var g = vec3<f32>();
        if ((uniforms.flags & 1u) != 0u) { g = projectBack(toClip[point]); }
        if ((uniforms.flags & 2u) != 0u) { g += ${load3('toVertices', '3u * point')}; }
        if ((uniforms.flags & 4u) != 0u) { g += ${load3('toRing', '3u * point')}; }
        ${readPose('group.y')}
        let back = g.x * row0 + g.y * row1 + g.z * row2;
        ${store3('toShape', '3u * point', 'back')}
        own[0] += vec4<f32>(g.x * moved, g.y * moved.x);
        own[1] += vec4<f32>(g.y * moved.yz, g.z * moved.xy);
        own[2] += vec4<f32>(g.z * moved.z, back);
      }
      let total = groupSum(local, own);
      if (local == 0u) {
        for (var k = 0u; k < ${POSE_SUMS}u; k++) {
          sums[(group.y * groups.x + group.x) * ${POSE_SUMS}u + k] = total[k / 4u][k % 4u];
        }
      }`,
      SIZE,
    )}`,
}

/** One workgroup for each picture: with M the sum of gradients times moved vertices, transposed, dL/dscale = <R, M> and
 * dL/dangle = scale <dR/dangle, M>. Each entry of R is p cos(angle) + q sin(angle) + c, so half of the difference between a quarter
 * turn ahead and one behind is its derivative. */
export const poseGradient: GpuProgram = {
  name: 'facekit_pose_gradient',
  inputs: ['sums: vec4<f32>', 'rotation: f32', 'poses: f32'],
  outputs: ['toRotation: f32', 'toTranslation: f32', 'toScale: f32'],
  uniforms: ['blocks: u32'],
  code: /* wgsl */ `${rotation}${wgslGroupSum(POSE_SUMS / 4, SIZE)}
    fn inner(r: array<f32, 9>, total: Sums) -> f32 {
      var sum = 0f;
      for (var k = 0u; k < 9u; k++) { sum += r[k] * total[k / 4u][k % 4u]; }
      return sum;
    }
    ${wgslMain(
      /* wgsl */ `
      let item = group.x;
      var own: Sums;
      for (var block = local; block < uniforms.blocks; block += ${SIZE}u) {
        let first = (item * uniforms.blocks + block) * ${POSE_SUMS / 4}u;
        for (var i = 0u; i < ${POSE_SUMS / 4}u; i++) { own[i] += sums[first + i]; }
      }
      let total = groupSum(local, own);
      if (local > 0u) { return; }
      for (var angle = 0u; angle < 3u; angle++) {
        toTranslation[3u * item + angle] = total[(9u + angle) / 4u][(9u + angle) % 4u];
        // A quarter turn takes (sine, cosine) to (cosine, -sine).
        var ahead: array<vec2<f32>, 3>;
        var behind: array<vec2<f32>, 3>;
        for (var k = 0u; k < 3u; k++) {
          let turn = sineAndCosine(rotation[3u * item + k]);
          ahead[k] = select(turn, vec2<f32>(turn.y, -turn.x), k == angle);
          behind[k] = select(turn, vec2<f32>(-turn.y, turn.x), k == angle);
        }
        let slope = inner(rotationOf(ahead[0], ahead[1], ahead[2]), total)
          - inner(rotationOf(behind[0], behind[1], behind[2]), total);
        toRotation[3u * item + angle] = 0.5 * poses[item * ${POSE}u + 12u] * slope;
      }
      var r: array<f32, 9>;
      for (var k = 0u; k < 9u; k++) { r[k] = poses[item * ${POSE}u + k]; }
      toScale[item] = inner(r, total);`,
      SIZE,
    )}`,
}
