import type { GpuProgram } from '@facekit/kernels'
import { edgeFunctions } from './snippets.js'
import { BITS, UNSEEN } from './footprints.js'
import { keyOfDepth, NO_KEY, triangleTests } from './triangle.js'

/* Contributor notes
 *
 * Two phases over the triangles: the first takes the minimum of the depths at each pixel, the second the minimum of the indices
 * of those triangles that have this depth. Minima do not depend on the order, so the same input gives the same picture. Both are
 * made by the same pipeline (`uniforms.phase` tells them apart), because another compilation of the same formula might
 * round otherwise and find no triangle of that depth. Only triangles that were nearest at some pixel when they
 * came go on to the second phase: of a fine mesh most hold no pixel's centre at all.
 *
 * One thread a triangle, with a loop over its bounding box, is right for small triangles. The larger ones, and those that reach before
 * near, beyond far or behind the eye, go onto a list, and are drawn by the tiles that they touch (resolve.ts). Both lists of a picture share F places: one grows from the
 * front, the other from the back, so neither can overflow. Their order varies from run to run, but nothing depends on it.
 */

/** Triangles that a workgroup scans. */
export const SCAN_SIZE = 256

/** WGSL: the box and the bit of a triangle. */
const trace = /* wgsl */ `
        if (kind > 0) {
          boxes[item * uniforms.triangleCount + index] = seen;
          atomicOr(&bits[local >> 5u], 1u << (local & 31u));
        }`
/** WGSL: the bits of a workgroup's triangles, and the number of tasks. */
const traceBits = /* wgsl */ `
      let end = uniforms.batch * uniforms.triangleCount;
      let rows = (uniforms.triangleCount + ${BITS - 1}) / ${BITS};
      let row = (index - i32(local)) / ${BITS} + i32(local);
      if (local < ${SCAN_SIZE / BITS}u && row < rows) {
        let word = 4u * local;
        boxes[end + 1 + item * rows + row] = bitcast<vec4<i32>>(vec4<u32>(atomicLoad(&bits[word]), atomicLoad(&bits[word + 1u]),
          atomicLoad(&bits[word + 2u]), atomicLoad(&bits[word + 3u])));
      }
      if (item == 0 && index == 0) { boxes[end] = vec4<i32>(0); }`

/** Both phases of the scan; `traced` when it also writes the boxes of footprints.ts: those of small triangles, which hold the pixels
 * where they were nearest when they came, and empty ones of large triangles. */
const makeScanProgram = (traced: boolean): GpuProgram => ({
  name: traced ? 'facekit_rasterize_scan_traced' : 'facekit_rasterize_scan',
  inputs: ['points: vec4<f32>', 'triangles: i32'],
  // Of each picture the lengths of its two lists, then the lists.
  outputs: [
    'keys: atomic<i32>',
    'ids: atomic<i32>',
    'lists: atomic<i32>',
    ...(traced ? ['boxes: vec4<i32>'] : []),
  ],
  uniforms: [
    'phase: i32',
    'batch: i32',
    'vertexCount: i32',
    'triangleCount: i32',
    'width: i32',
    'height: i32',
    'cull: i32',
    'small: i32',
  ],
  code: /* wgsl */ `${edgeFunctions}${triangleTests}${keyOfDepth}
    var<workgroup> ownHits: atomic<i32>;
    var<workgroup> ownLarge: atomic<i32>;
    var<workgroup> firstHit: i32;
    var<workgroup> firstLarge: i32;

    ${traced ? /* wgsl */ `var<workgroup> bits: array<atomic<u32>, ${SCAN_SIZE / 32}>;` : ''}
    ${traced ? /* wgsl */ `var<private> seen: vec4<i32> = vec4<i32>(${UNSEEN});` : ''}
    /** 0: not to be seen; 1: the nearest one so far at some pixel; 2: large. */
    fn scan(item: i32, f: i32) -> i32 {
      let t = loadTriangle(item, f);
      if (!isPlain(t)) { return select(2, 0, isOutside(t)); }
      let box = boxOf(t);
      let size = box.high - box.low + 1;
      if (size.x <= 0 || size.y <= 0) { return 0; }
      if (size.x * size.y > uniforms.small) { return 2; }
      var kind = 0;
      for (var row = box.low.y; row <= box.high.y; row++) {
        let first = (item * uniforms.height + row) * uniforms.width;
        for (var column = box.low.x; column <= box.high.x; column++) {
          let key = plainKeyAt(t, column, row);
          if (key == ${NO_KEY}) { continue; }
          let q = first + column;
          if (uniforms.phase == 0) {
            if (key <= atomicMin(&keys[q], key)) {
              kind = 1;
              // For the next phase.
              atomicStore(&ids[q], ${NO_KEY});
              ${traced ? 'seen = min(seen, vec4<i32>(row, column, -row, -column));' : ''}
            }
          } else if (atomicLoad(&keys[q]) == key) {
            atomicMin(&ids[q], f);
          }
        }
      }
      return kind;
    }

    @compute @workgroup_size(${SCAN_SIZE})
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let item = i32(group.y);
      let index = i32((group.z * groups.x + group.x) * ${SCAN_SIZE}u + local);
      let list = 2 * uniforms.batch + item * uniforms.triangleCount;
      if (uniforms.phase == 1) {
        let count = atomicLoad(&lists[2 * item]);
        for (var i = index; i < count; i += i32(groups.x * groups.z * ${SCAN_SIZE}u)) {
          _ = scan(item, atomicLoad(&lists[list + i]));
        }
        return;
      }
      var kind = 0;
      var place = 0;
      if (index < uniforms.triangleCount) {
        kind = scan(item, index);
        ${traced ? trace : ''}
      }
      if (kind == 1) { place = atomicAdd(&ownHits, 1); }
      if (kind == 2) { place = atomicAdd(&ownLarge, 1); }
      workgroupBarrier();
      if (local == 0u) {
        let hits = atomicLoad(&ownHits);
        let large = atomicLoad(&ownLarge);
        if (hits > 0) { firstHit = atomicAdd(&lists[2 * item], hits); }
        if (large > 0) { firstLarge = atomicAdd(&lists[2 * item + 1], large); }
      }
      workgroupBarrier();
      ${traced ? traceBits : ''}
      if (kind == 1) { atomicStore(&lists[list + firstHit + place], index); }
      if (kind == 2) { atomicStore(&lists[list + uniforms.triangleCount - 1 - firstLarge - place], index); }
    }`,
})
export const scanProgram = makeScanProgram(false)
export const tracedScanProgram = makeScanProgram(true)
