import type { GpuProgram } from '@facekit/kernels'
import { scatterProgram } from '../scatter.js'
import { byChannels, entry, GROUP_SIZE, linearIndex, vectors } from '../snippets.js'
import { locateTexels, mipLevels, noLevels } from './texture-levels.js'

/* Contributor notes
 *
 * A texture and a pyramid of its levels are looked up by the same code: a texture is a pyramid of one level, in which case there are no
 * `derivatives` to choose levels by. Each is one look-up per thread, with all of its channels.
 */

/** `lookUps` are those of one picture, `stride` the texels of one picture's texture, 0 when it is shared. */
const uniforms = [
  'lookUps: u32',
  'stride: u32',
  'rows: i32',
  'columns: i32',
  'levels: i32',
  'wrap: i32',
  'lowerLeft: i32',
]

/** The programs for textures of so many channels. */
function makePrograms(channels: number, mip: boolean) {
  const [type, count] = vectors(channels)
  const scalar = count === channels
  const suffix = `${mip ? 'pyramid' : 'texture'}_${channels}`
  const derivatives = mip ? ['derivatives: vec4<f32>'] : []
  const common = `${locateTexels}${mip ? mipLevels : noLevels}`
  const look: GpuProgram = {
    name: `facekit_sample_${suffix}`,
    inputs: [`texels: ${type}`, 'uv: vec2<f32>', ...derivatives],
    outputs: [`result: ${type}`],
    uniforms: ['count: u32', ...uniforms],
    code: /* wgsl */ `${linearIndex}${common}
    fn valueAt(c: Corners, k: u32) -> ${type} {
      let upper = texels[c.upperLeft * ${count}u + k] * (1.0 - c.right) + texels[c.upperRight * ${count}u + k] * c.right;
      let lower = texels[c.lowerLeft * ${count}u + k] * (1.0 - c.right) + texels[c.lowerRight * ${count}u + k] * c.right;
      return upper * (1.0 - c.lower) + lower * c.lower;
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let q = linearIndex(group, groups, local);
      if (q >= uniforms.count) { return; }
      let at = uv[q];
      if (!(isFinite(at.x) && isFinite(at.y))) {
        for (var k = 0u; k < ${count}u; k++) { result[q * ${count}u + k] = ${type}(notANumber(q)); }
        return;
      }
      let level = levelOf(q);
      let finer = locate(q, at, level.first);
      if (level.part == 0.0) {
        for (var k = 0u; k < ${count}u; k++) { result[q * ${count}u + k] = valueAt(finer, k); }
        return;
      }
      let coarser = locate(q, at, level.first + 1);
      for (var k = 0u; k < ${count}u; k++) {
        result[q * ${count}u + k] = valueAt(finer, k) * (1.0 - level.part) + valueAt(coarser, k) * level.part;
      }
    }`,
  }
  const product = scalar ? 'g * ' : 'dot(g, '
  const close = scalar ? '' : ')'
  const coordinates: GpuProgram = {
    name: `facekit_sample_${suffix}_coordinates`,
    inputs: [`texels: ${type}`, 'uv: vec2<f32>', ...derivatives, `upstream: ${type}`],
    outputs: ['result: vec2<f32>'],
    uniforms: ['count: u32', ...uniforms],
    code: /* wgsl */ `${linearIndex}${common}
    fn slopeAt(q: u32, c: Corners) -> vec2<f32> {
      var slope = vec2<f32>(0.0);
      for (var k = 0u; k < ${count}u; k++) {
        let g = upstream[q * ${count}u + k];
        let upperLeft = texels[c.upperLeft * ${count}u + k];
        let upperRight = texels[c.upperRight * ${count}u + k];
        let lowerLeft = texels[c.lowerLeft * ${count}u + k];
        let lowerRight = texels[c.lowerRight * ${count}u + k];
        slope.x += ${product}((upperRight - upperLeft) * (1.0 - c.lower) + (lowerRight - lowerLeft) * c.lower)${close};
        slope.y += ${product}((lowerLeft - upperLeft) * (1.0 - c.right) + (lowerRight - upperRight) * c.right)${close};
      }
      return slope * c.size;
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let q = linearIndex(group, groups, local);
      if (q >= uniforms.count) { return; }
      let at = uv[q];
      var slope = vec2<f32>(notANumber(q));
      if (isFinite(at.x) && isFinite(at.y)) {
        let level = levelOf(q);
        slope = slopeAt(q, locate(q, at, level.first));
        if (level.part > 0.0) {
          slope = slope * (1.0 - level.part) + slopeAt(q, locate(q, at, level.first + 1)) * level.part;
        }
      }
      if (uniforms.lowerLeft == 1) { slope.y = -slope.y; }
      result[q] = slope;
    }`,
  }
  const texels = scatterProgram(
    `facekit_sample_${suffix}_texels`,
    ['uv: vec2<f32>', ...derivatives, 'upstream: f32'],
    uniforms,
    /* wgsl */ `${common}
    fn spread(q: u32, c: Corners, part: f32) {
      for (var k = 0u; k < ${channels}u; k++) {
        let g = upstream[q * ${channels}u + k] * part;
        emit(c.upperLeft * ${channels}u + k, g * (1.0 - c.right) * (1.0 - c.lower));
        emit(c.upperRight * ${channels}u + k, g * c.right * (1.0 - c.lower));
        emit(c.lowerLeft * ${channels}u + k, g * (1.0 - c.right) * c.lower);
        emit(c.lowerRight * ${channels}u + k, g * c.right * c.lower);
      }
    }
    fn contribute(q: u32) {
      let at = uv[q];
      if (!(isFinite(at.x) && isFinite(at.y))) { return; }
      let level = levelOf(q);
      spread(q, locate(q, at, level.first), 1.0 - level.part);
      if (level.part > 0.0) { spread(q, locate(q, at, level.first + 1), level.part); }
    }`,
  )
  return { look, coordinates, texels }
}

/** Programs for textures, by the number of channels. */
export const texturePrograms = byChannels((channels) => makePrograms(channels, false))
/** Programs for pyramids. */
export const pyramidPrograms = byChannels((channels) => makePrograms(channels, true))
