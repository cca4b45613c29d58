/* Contributor notes
 *
 * Every product here, convolutions and their gradients included, is one loop: a workgroup computes `rows` x `columns` results, going
 * over the inner dimension in steps of `depth`. Both operands' parts are brought into workgroup memory, each invocation keeps
 * `ownRows` x `ownColumns` results in registers. What differs is where the operands' numbers come from: `GpuOperand`.
 *
 * In workgroup memory, neighbours along the outer dimension are neighbours, so that an invocation reads vec4s of what it multiplies:
 * for 8 x 8 results 4 of them for 64 multiplications. An operand whose numbers lie along the inner dimension in its tensor is turned on the way,
 * number by number. Lines are then 4 numbers longer than need be, and 32 neighbouring invocations have 16 rows and 2 vec4s, so that
 * they write to 32 different banks. They form a patch of 4 x 8 of the results, whose reads don't collide either.
 *
 * The next part's numbers are read into registers before the product of the current one, and reach workgroup memory after it.
 *
 * Tried on an H100, 4096 x 4096 x 4096, TFLOP/s (nothing turned / A turned / both turned), 128 x 128 x 16 with 8 x 8 unless said:
 * 37.6 / 36.1 / 31.9; the loop over the depth unrolled 43.8 / 39.6 / 33.6; 16 x 8 results an invocation 44.1 / 42.2 / 37.5.
 * Slower: two copies in workgroup memory and one barrier instead of two (35.8 / 33.9 / 31.2), nothing read ahead (37.6 / 35.7 / 34.4), depth 8
 * (35.6 / 33.1 / 32.5), operands as they lie in their tensors, rows an odd number of vec4s apart (37.6 / 33.3 / 31.3), 64 x 64 with 4 x 4
 * (32.4 / 29.8 / 27.2). Turned by 4 x 4 blocks in registers instead: as fast, but only for some tiles. Dawn's bounds checks cost 2 %
 * here, with nothing turned, and a seventh of a training step of ResNet-50; its clearing of workgroup memory nothing.
 */

/** How a product is cut into pieces. */
export interface GpuTile {
  /** Rows and columns of the result in a workgroup. */
  rows: number
  columns: number
  /** Steps along the inner dimension at a time. */
  depth: number
  /** Rows and columns in an invocation, multiples of 4. */
  ownRows: number
  ownColumns: number
  /** The loop over the depth is written out. */
  unroll: boolean
}

/** Where one operand's numbers come from: WGSL snippets. `slot` counts the vec4s that an invocation fetches in a step. */
export interface GpuOperand {
  /** Four neighbours along the inner dimension in a vec4 (`rows`), or along the outer one (`columns`). */
  layout: 'rows' | 'columns'
  /** Functions at module scope. */
  functions?: string
  /** Statements before the loop. Rows: `outer` is an expression for the row (from the tile's first on) and `inner` for the
   * first of four inner steps; columns: the other way round, `outer` is the first of four. */
  begin(slot: number, outer: string, inner: string): string
  /** Statements at the beginning of a step, once for all slots. */
  step?: string
  /** Statements before a slot's vec4 is fetched. */
  fetchBegin?(slot: number): string
  /** A vec4 for the slot, in the current step. */
  fetch(slot: number): string
  /** Statements that advance a slot to the next step, if it keeps state. */
  advance?(slot: number): string
}

/** A product of which the operands and the results' places are given. */
export interface GpuTiledProduct {
  tile: GpuTile
  a: GpuOperand
  b: GpuOperand
  /** Statements at the beginning: must declare `rowBegin`, `columnBegin` (u32), `stepBegin` and `stepEnd` (u32, counted in steps). */
  begin: string
  /** Functions at module scope. */
  functions?: string
  /** Statements that advance from one step to the next, if operands share state. */
  advance?: string
  /** Statements that put a vec4 `value` of row `row` at the columns from `column` on; outside of the result they must do nothing. */
  store: string
}

/** Invocations in a workgroup. */
export const invocations = (tile: GpuTile): number =>
  (tile.rows / tile.ownRows) * (tile.columns / tile.ownColumns)

/** Bytes of workgroup memory. */
export const workgroupBytes = (tile: GpuTile, a: GpuOperand['layout'], b: GpuOperand['layout']): number =>
  4 * tile.depth * (lineLength(tile.rows, a) + lineLength(tile.columns, b))

/** Numbers from one inner step to the next in workgroup memory. */
const lineLength = (outer: number, layout: GpuOperand['layout']) => outer + (layout === 'rows' ? 4 : 0)

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const lanes = 'xyzw'

/** WGSL of a product; the program's declarations are the caller's. */
export function tiledProduct(product: GpuTiledProduct): string {
  const { tile, a, b } = product
  const threads = invocations(tile)
  const across = tile.columns / tile.ownColumns
  const down = tile.rows / tile.ownRows
  const sides = [
    operandCode('a', a, tile, tile.rows, threads),
    operandCode('b', b, tile, tile.columns, threads),
  ]
  const each = (key: 'memory' | 'begin' | 'fetch' | 'advance' | 'put') =>
    sides.map((side) => side[key]).join('\n')
  const quads = range(tile.ownColumns / 4)
  const rows = range(tile.ownRows)
  // A patch of 4 x 8 invocations, if there are so many.
  const patch = Math.min(8, across)
  const patchRows = Math.min(32 / patch, down)
  const store = (i: number) => `{
    let row = rowBegin + (ownRow + ${(i >> 2) * down}u) * 4u + ${i & 3}u;
    ${quads
      .map(
        (j) => `{
      let column = columnBegin + (ownColumn + ${j * across}u) * 4u;
      var value = c${i}_${j};
      ${product.store}
    }`,
      )
      .join('\n')}
  }`
  return /* wgsl */ `
  ${a.functions ?? ''}
  ${b.functions ?? ''}
  ${product.functions ?? ''}
  ${each('memory')}
  @compute @workgroup_size(${threads})
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32) {
    ${product.begin}
    let patchIndex = local / ${patch * patchRows}u;
    let ownColumn = (local % ${patch}u) + (patchIndex % ${across / patch}u) * ${patch}u;
    let ownRow = (local / ${patch}u) % ${patchRows}u + (patchIndex / ${across / patch}u) * ${patchRows}u;
    ${each('begin')}
    ${rows.map((i) => quads.map((j) => `var c${i}_${j} = vec4<f32>();`).join(' ')).join('\n')}
    if (stepBegin < stepEnd) { let step = stepBegin; ${each('fetch')} }
    for (var step = stepBegin; step < stepEnd; step++) {
      workgroupBarrier();
      ${each('put')}
      workgroupBarrier();
      if (step + 1u < stepEnd) {
        ${product.advance ?? ''}
        ${each('advance')}
        { let step = step + 1u; ${each('fetch')} }
      }
      ${multiplication(tile, a.layout, b.layout)}
    }
    ${rows.map(store).join('\n')}
  }`
}

/** An operand's way from its tensor to workgroup memory. */
function operandCode(name: 'a' | 'b', operand: GpuOperand, tile: GpuTile, outer: number, threads: number) {
  const turned = operand.layout === 'rows'
  const vectors = turned ? tile.depth / 4 : outer / 4
  const slots = (outer * tile.depth) / 4 / threads
  const lines = threads / vectors
  if (!Number.isInteger(lines) || !Number.isInteger(slots) || (turned && lines % 16 !== 0)) {
    throw new Error(`tiledProduct: ${threads} invocations cannot share the parts of ${JSON.stringify(tile)}`)
  }
  const length = lineLength(outer, operand.layout)
  const pairs = vectors / 2
  const begin = range(slots).map((slot) => {
    const line = `${name}Line + ${slot * lines}u`
    const vector = `${name}Vector * 4u`
    return turned ? operand.begin(slot, line, vector) : operand.begin(slot, vector, line)
  })
  const put = range(slots).flatMap((slot) =>
    turned
      ? range(4).map(
          (k) =>
            `${name}Part[${name}Place + ${k * length + slot * lines}u] = ${name}Next${slot}.${lanes[k]};`,
        )
      : `${name}Part[${name}Place + ${(slot * lines * length) / 4}u] = ${name}Next${slot};`,
  )
  return {
    memory: turned
      ? `var<workgroup> ${name}Part: array<f32, ${tile.depth * length}>;
  fn ${name}At(place: u32) -> vec4<f32> {
    return vec4<f32>(${name}Part[place * 4u], ${name}Part[place * 4u + 1u], ${name}Part[place * 4u + 2u], ${name}Part[place * 4u + 3u]);
  }`
      : `var<workgroup> ${name}Part: array<vec4<f32>, ${(tile.depth * length) / 4}>;
  fn ${name}At(place: u32) -> vec4<f32> { return ${name}Part[place]; }`,
    begin: `${
      turned
        ? `let ${name}Vector = (local & 1u) + 2u * ((local >> 5u) % ${pairs}u);
      let ${name}Line = ((local >> 1u) & 15u) + 16u * (local / ${32 * pairs}u);
      let ${name}Place = ${name}Vector * ${4 * length}u + ${name}Line;`
        : `let ${name}Vector = local % ${vectors}u;
      let ${name}Line = local / ${vectors}u;
      let ${name}Place = ${name}Line * ${length / 4}u + ${name}Vector;`
    }
      ${begin.join('\n')}
      ${range(slots)
        .map((slot) => `var ${name}Next${slot} = vec4<f32>();`)
        .join(' ')}`,
    fetch: `${operand.step ?? ''}
      ${range(slots)
        .map((slot) => `${operand.fetchBegin?.(slot) ?? ''} ${name}Next${slot} = ${operand.fetch(slot)};`)
        .join('\n')}`,
    advance: operand.advance
      ? range(slots)
          .map((slot) => operand.advance!(slot))
          .join('\n')
      : '',
    put: put.join('\n'),
  }
}

/** The product of what lies in workgroup memory, added to the results. */
function multiplication(tile: GpuTile, a: GpuOperand['layout'], b: GpuOperand['layout']): string {
  const down = tile.rows / tile.ownRows
  const across = tile.columns / tile.ownColumns
  const quads = range(tile.ownColumns / 4)
  const step = (place: string) => {
    const lines = [`let line = ${place};`]
    for (const i of range(tile.ownRows / 4)) {
      lines.push(`let p${i} = aAt(line * ${lineLength(tile.rows, a) / 4}u + ownRow + ${i * down}u);`)
    }
    for (const j of quads) {
      lines.push(`let q${j} = bAt(line * ${lineLength(tile.columns, b) / 4}u + ownColumn + ${j * across}u);`)
    }
    for (const i of range(tile.ownRows)) {
      for (const j of quads)
        lines.push(`c${i}_${j} = fma(vec4<f32>(p${i >> 2}.${lanes[i & 3]}), q${j}, c${i}_${j});`)
    }
    return `{ ${lines.join('\n')} }`
  }
  if (tile.unroll)
    return range(tile.depth)
      .map((k) => step(`${k}u`))
      .join('\n')
  return `for (var inner = 0u; inner < ${tile.depth}u; inner += 4u) {
    ${range(4)
      .map((k) => step(`inner + ${k}u`))
      .join('\n')}
  }`
}
