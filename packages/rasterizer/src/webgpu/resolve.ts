import type { GpuProgram } from '@facekit/kernels'
import { barycentricsAt, edgeFunctions } from './snippets.js'
import { anyTriangleTests, keyOfDepth, NO_KEY, triangleTests } from './triangle.js'

/* Contributor notes
 *
 * A workgroup for each tile of 16 x 16 pixels, a thread for each pixel. It starts with what the scan of small triangles found, and
 * draws the large ones: each thread tests one triangle of the picture's list against the whole tile, those that are left are
 * queued in workgroup memory, and then each thread tests all of the queue at its own pixel, without any atomics.
 *
 * A triangle is not queued when one edge has the whole tile on its outer side, or when it is behind everything: behind the farthest
 * depth in the tile so far, or behind a triangle that covers all of the tile. Both are decided in float32 with bounds of the
 * rounding errors, on the safe side; exact are only the tests at pixels. So the picture does not depend on any of this.
 */

const TILE = 16

/** WGSL: of pixels of one large triangle side by side only the outermost count, so few threads meet at a box. */
const marks = /* wgsl */ `
        drawn[local] = large;
        workgroupBarrier();
        if (large >= 0) {
          let box = 4 * (item * uniforms.triangleCount + large);
          if (within.y == 0u || drawn[max(local, ${TILE}u) - ${TILE}u] != large) { atomicMin(&boxes[box], pixel.y); }
          if (within.x == 0u || drawn[max(local, 1u) - 1u] != large) { atomicMin(&boxes[box + 1], pixel.x); }
          if (within.y == ${TILE - 1}u || drawn[min(local + ${TILE}u, ${TILE * TILE - 1}u)] != large) { atomicMin(&boxes[box + 2], -pixel.y); }
          if (within.x == ${TILE - 1}u || drawn[min(local + 1u, ${TILE * TILE - 1}u)] != large) { atomicMin(&boxes[box + 3], -pixel.x); }
        }`

/** `traced` when it also marks where large triangles are seen, in the boxes of footprints.ts. */
const makeResolveProgram = (traced: boolean): GpuProgram => ({
  name: traced ? 'facekit_rasterize_resolve_traced' : 'facekit_rasterize_resolve',
  inputs: ['clip: vec4<f32>', 'points: vec4<f32>', 'triangles: i32', 'lists: i32'],
  // Keys come in as `depth`, and go out as depths.
  outputs: ['ids: i32', 'depth: i32', 'barycentrics: f32', ...(traced ? ['boxes: atomic<i32>'] : [])],
  uniforms: [
    'batch: i32',
    'vertexCount: i32',
    'triangleCount: i32',
    'width: i32',
    'height: i32',
    'cull: i32',
  ],
  code: /* wgsl */ `${edgeFunctions}${triangleTests}${anyTriangleTests}${keyOfDepth}${barycentricsAt}
    var<workgroup> queueLength: atomic<i32>;
    var<workgroup> queue: array<i32, ${TILE * TILE}>;
    /** The largest key at any pixel, and the smallest of the largest keys of triangles that cover the tile. */
    var<workgroup> farthest: atomic<i32>;
    var<workgroup> covered: atomic<i32>;

    ${traced ? /* wgsl */ `var<workgroup> drawn: array<i32, ${TILE * TILE}>;` : ''}

    var<workgroup> staged: array<f32, ${3 * TILE * TILE}>;
    struct Overlap {
      /** Whether the triangle may be in the tile, and whether it certainly covers it. */
      some: bool, all: bool,
      /** Bounds of its keys. */
      near: i32, far: i32,
    }
    /** center is the picture's middle minus the tile's; e is affine over the picture, so its extremes are at the tile's corners. */
    fn overlapOf(t: Triangle, center: vec2<f32>) -> Overlap {
      let reach = ${(TILE - 1) / 2};
      let u = fma(t.w, vec3<f32>(center.x), t.x);
      let v = fma(t.w, vec3<f32>(center.y), t.y);
      let e = u.yzx * v.zxy - v.yzx * u.zxy;
      let slopeX = t.w.yzx * v.zxy - v.yzx * t.w.zxy;
      let slopeY = u.yzx * t.w.zxy - t.w.yzx * u.zxy;
      let range = reach * (abs(slopeX) + abs(slopeY));
      let sizeX = abs(t.x) + abs(t.w) * (abs(center.x) + reach);
      let sizeY = abs(t.y) + abs(t.w) * (abs(center.y) + reach);
      let doubt = 0x1p-20f * (sizeX.yzx * sizeY.zxy + sizeY.yzx * sizeX.zxy);
      let high = e + range + doubt;
      let low = e - range - doubt;
      let zero = vec3<f32>(0.0);
      var result: Overlap;
      result.some = (uniforms.cull != 1 && all(high >= zero)) || (uniforms.cull != 2 && all(low <= zero));
      result.near = ${-NO_KEY};
      result.far = ${NO_KEY};
      if (!isPlain(t)) { return result; }
      result.all = (uniforms.cull != 1 && all(low > zero)) || (uniforms.cull != 2 && all(high < zero));
      var nearest = min(min(t.z.x, t.z.y), t.z.z);
      var farthest = max(max(t.z.x, t.z.y), t.z.z);
      let rounding = 0x1p-20f * max(abs(nearest), abs(farthest));
      nearest -= rounding;
      farthest += rounding;
      if (result.all && max(max(sizeX.x, max(sizeX.y, sizeX.z)), max(sizeY.x, max(sizeY.y, sizeY.z))) < 0x1p14f) {
        // Over the tile the depth is affine, too.
        let rise = vec3<f32>(0.0, t.z.y - t.z.x, t.z.z - t.z.x);
        let sum = e.x + e.y + e.z;
        let middle = t.z.x + dot(e, rise) / sum;
        let spread = 1.5 * reach * (abs(dot(slopeX, rise)) + abs(dot(slopeY, rise))) / abs(sum) + 16.0 * rounding;
        nearest = max(nearest, middle - spread);
        farthest = min(farthest, middle + spread);
      }
      result.near = keyOfDepth(nearest);
      result.far = keyOfDepth(farthest);
      return result;
    }

    @compute @workgroup_size(${TILE}, ${TILE})
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) within: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let tile = ${TILE} * vec2<i32>(group.xy);
      let item = i32(group.z);
      let pixel = tile + vec2<i32>(within.xy);
      let size = vec2<i32>(uniforms.width, uniforms.height);
      let inside = all(pixel < size);
      let q = (item * size.y + pixel.y) * size.x + pixel.x;
      var key = ${-NO_KEY};
      var id = ${NO_KEY};
      ${traced ? 'var large = -1;' : ''}
      if (inside) {
        key = depth[q];
        id = ids[q];
      }
      let count = lists[2 * item + 1];
      if (count > 0) {
        let last = 2 * uniforms.batch + (item + 1) * uniforms.triangleCount - 1;
        let center = 0.5 * vec2<f32>(size - 2 * tile - ${TILE});
        if (local == 0u) { atomicStore(&covered, ${NO_KEY}); }
        for (var start = 0; start < count; start += ${TILE * TILE}) {
          if (local == 0u) {
            atomicStore(&queueLength, 0);
            atomicStore(&farthest, ${-NO_KEY});
          }
          workgroupBarrier();
          atomicMax(&farthest, key);
          let i = start + i32(local);
          var overlap: Overlap;
          var f = 0;
          if (i < count) {
            f = lists[last - i];
            overlap = overlapOf(loadTriangle(item, f), center);
            if (overlap.all) { atomicMin(&covered, overlap.far); }
          }
          workgroupBarrier();
          if (overlap.some && overlap.near <= min(atomicLoad(&covered), atomicLoad(&farthest))) {
            queue[atomicAdd(&queueLength, 1)] = f;
          }
          workgroupBarrier();
          let length = atomicLoad(&queueLength);
          if (inside) {
            for (var k = 0; k < length; k++) {
              let candidate = queue[k];
              let found = keyAt(loadTriangle(item, candidate), pixel.x, pixel.y);
              if (found < key || (found == key && found != ${NO_KEY} && candidate < id)) {
                key = found;
                id = candidate;
                ${traced ? 'large = candidate;' : ''}
              }
            }
          }
          workgroupBarrier();
        }
        ${traced ? marks : ''}
      }
      var weights = vec3<f32>(0.0);
      if (inside) {
        if (key == ${NO_KEY}) {
          ids[q] = -1;
          depth[q] = bitcast<i32>(1.0);
        } else {
          ids[q] = id;
          depth[q] = select(key, key ^ 0x7fffffff, key < 0);
          let first = item * uniforms.vertexCount;
          let half = 0.5 * vec2<f32>(size);
          let offset = half - vec2<f32>(pixel) - 0.5;
          weights = cornersAt(clip[first + triangles[3 * id]], clip[first + triangles[3 * id + 1]],
            clip[first + triangles[3 * id + 2]], half, offset).weights;
          // A centre that rounding has put outside is moved onto the border, so that nothing is ever extrapolated.
          weights = max(weights * sign(weights.x + weights.y + weights.z), vec3<f32>(0.0));
          let sum = weights.x + weights.y + weights.z;
          if (sum > 0.0) { weights = weights / sum; } else { weights = vec3<f32>(1.0 / 3.0); }
        }
      }
      staged[3u * local] = weights.x;
      staged[3u * local + 1u] = weights.y;
      staged[3u * local + 2u] = weights.z;
      workgroupBarrier();
      for (var i = i32(local); i < ${3 * TILE * TILE}; i += ${TILE * TILE}) {
        let row = tile.y + i / ${3 * TILE};
        let place = 3 * tile.x + i % ${3 * TILE};
        if (row < size.y && place < 3 * size.x) { barycentrics[3 * (item * size.y + row) * size.x + place] = staged[i]; }
      }
    }`,
})
export const resolveProgram = makeResolveProgram(false)
export const tracedResolveProgram = makeResolveProgram(true)

/** Workgroups for a batch of pictures. */
export const tilesFor = (width: number, height: number, batch: number): [number, number, number] => [
  Math.ceil(width / TILE),
  Math.ceil(height / TILE),
  batch,
]
