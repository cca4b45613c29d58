import { type GpuProgram, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { NO_CROSSING } from './crossings.js'
import { byChannels, entry, GROUP_SIZE, linearIndex, vectors } from './snippets.js'

/** Each pixel gathers from the four pairs that it belongs to. `uniforms.backward` is 1 for the gradient of the picture. First a thread for
 * each pixel, then for each number. */
const programOf = byChannels((channels): GpuProgram => {
  const [type, count] = vectors(channels)
  return {
    name: `facekit_antialias_${channels}`,
    inputs: [`picture: ${type}`, 'places: f32'],
    outputs: [`result: ${type}`],
    uniforms: ['pixels: u32', 'width: u32', 'height: u32', 'backward: u32'],
    code: /* wgsl */ `${linearIndex}
    /** Places on the right, below, on the left and above; whether any is one. */
    var<workgroup> around: array<vec4<f32>, ${GROUP_SIZE}>;
    var<workgroup> crossed: array<u32, ${GROUP_SIZE}>;
    /** What pixel q gets through one pair. */
    fn through(place: f32, first: bool, q: u32, other: u32, k: u32) -> ${type} {
      if (place == ${NO_CROSSING}.0) { return ${type}(0.0); }
      // The sign is that of the pair's first pixel.
      let nearer = ((bitcast<u32>(place) >> 31u) == 0u) == first;
      let amount = abs(place) - 0.5;
      // The farther pixel gets, or the nearer one loses.
      let own = nearer != (amount >= 0.0);
      if (uniforms.backward == 1u) {
        return select(-amount, amount, nearer) * picture[select(other, q, own) * ${count}u + k];
      }
      if (!own) { return ${type}(0.0); }
      return select(-amount, amount, nearer) * (picture[q * ${count}u + k] - picture[other * ${count}u + k]);
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let start = linearIndex(group, groups, 0u);
      let q = start + local;
      let none = vec4<f32>(${NO_CROSSING}.0);
      var found = none;
      if (q < uniforms.pixels) {
        found.x = places[2u * q];
        found.y = places[2u * q + 1u];
        if (q % uniforms.width > 0u) { found.z = places[2u * q - 2u]; }
        if (q / uniforms.width % uniforms.height > 0u) { found.w = places[2u * (q - uniforms.width) + 1u]; }
      }
      around[local] = found;
      crossed[local] = select(0u, 1u, any(found != none));
      workgroupBarrier();
      if (start >= uniforms.pixels) { return; }
      let end = min(uniforms.pixels - start, ${GROUP_SIZE}u) * ${count}u;
      for (var i = local; i < end; i += ${GROUP_SIZE}u) {
        let index = start * ${count}u + i;
        var value = picture[index];
        let pixel = i / ${count}u;
        if (crossed[pixel] == 1u) {
          let at = around[pixel];
          let q = start + pixel;
          let k = i % ${count}u;
          value += through(at.x, true, q, q + 1u, k) + through(at.z, false, q, q - 1u, k)
            + through(at.y, true, q, q + uniforms.width, k) + through(at.w, false, q, q - uniforms.width, k);
        }
        result[index] = value;
      }
    }`,
  }
})

/** Moves colour over silhouettes, or back for the gradient of the picture. */
function run(
  backend: KernelBackend,
  picture: TensorInfo,
  places: TensorInfo,
  result: TensorInfo,
  backward: 0 | 1,
): void {
  const [, height, width, channels] = picture.shape
  const pixels = util.sizeFromShape(picture.shape.slice(0, 3))
  runGpuProgram(backend, programOf(channels), {
    inputs: [picture, places],
    outputs: [result],
    uniforms: [pixels, width, height, backward],
    workgroups: workgroupsFor(pixels, GROUP_SIZE),
  })
}

/** `antialias` on WebGPU, where crossings are known. */
export const antialiasOnGpu = (
  backend: KernelBackend,
  { image, places }: Record<'image' | 'places', TensorInfo>,
  { picture }: { picture: TensorInfo },
): void => run(backend, image, places, picture, 0)

/** Gradient of the picture on WebGPU. */
export const antialiasImageGradientOnGpu = (
  backend: KernelBackend,
  { upstream, places }: Record<'upstream' | 'places', TensorInfo>,
  { gradient }: { gradient: TensorInfo },
): void => run(backend, upstream, places, gradient, 1)
