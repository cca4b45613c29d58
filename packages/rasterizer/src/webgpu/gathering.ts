import { BITS, UNSEEN } from './footprints.js'

/** What is gathered for vertices. */
export interface Gathering {
  name: string
  /** Inputs besides ids, boxes, tasks, adjacency and records; the first two programs of a stage have 8 storage buffers at most. */
  inputs: readonly string[]
  output: string
  uniforms: readonly string[]
  /** Numbers that are added up at a time. */
  sums: number
  /** Parts that all numbers come in: `part` says which. */
  parts: number
  /** Threads that share a vertex when all pictures are added up; 1 when each picture has vertices of its own. */
  lanes: 1 | 4 | 16
  /** WGSL: `fn begin(item: i32, f: i32, corner: i32, part: i32)`, called for a corner of a triangle, `fn add(q: i32, column: i32, row: i32)` for
   * each of its pixels, which adds to `sum0`, `sum1`, ... */
  code: string
  /** WGSL: `fn finish(item: i32, vertex: i32, part: i32)`, which writes the sums. */
  finish: string
}

/** Uniforms of its programs, before its own. */
export const GATHER_UNIFORMS = [
  'batch: i32',
  'vertexCount: i32',
  'triangleCount: i32',
  'width: i32',
  'height: i32',
  'capacity: i32',
]

/** Lines for each of `count` indices. */
export const each = (count: number, line: (k: number) => string): string =>
  Array.from({ length: count }, (_, k) => line(k)).join('\n')

/** WGSL: the sums. */
export const declareSums = ({ sums }: Gathering): string => each(sums, (k) => `var<private> sum${k}: f32;`)

/** WGSL: whether a triangle is seen, and what one thread adds up of it. */
export const addTriangle = ({ sums, parts }: Gathering): string => /* wgsl */ `
        fn isSeen(item: i32, f: i32) -> bool {
          let row = uniforms.batch * uniforms.triangleCount + 1 + item * ((uniforms.triangleCount + ${BITS - 1}) / ${BITS}) + f / ${BITS};
          return ((boxes[row][(f >> 5u) & 3] >> u32(f & 31)) & 1) == 1;
        }
        /** Adds what one thread can add up. */
        fn addTriangle(item: i32, f: i32, corner: i32, part: i32) {
          let box = boxes[item * uniforms.triangleCount + f];
          if (box.x == ${UNSEEN}) { return; }
          if (box.x < 0) {
            for (var task = 0; task < box.w; task++) {
              let record = (3 * (task - 1 - box.x) + corner) * ${parts * sums} + part * ${sums};
              ${each(sums, (k) => `sum${k} += records[record + ${k}];`)}
            }
            return;
          }
          begin(item, f, corner, part);
          for (var row = box.x; row <= -box.z; row++) {
            for (var column = box.y; column <= -box.w; column++) {
              let q = (item * uniforms.height + row) * uniforms.width + column;
              if (ids[q] == f) { add(q, column, row); }
            }
          }
        }`
