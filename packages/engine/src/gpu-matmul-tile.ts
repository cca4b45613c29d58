/* Contributor notes
 *
 * Every product here, convolutions and their gradients included, is one loop: a workgroup computes BM x BN results, going over the
 * inner dimension in steps of BK. Both operands' parts are brought into workgroup memory, each invocation keeps TM x TN
 * results in registers. What differs is where the operands' numbers come from: `GpuOperand`.
 *
 * An operand lies in workgroup memory as it lies in the tensor, so that whole vec4s are copied: in `rows` (four neighbours along the
 * inner dimension in a vec4; A of a forward convolution) or in `columns` (four neighbours along the outer dimension in a
 * vec4; its filter). Neither needs more reads than the other: for four inner steps and 8 x 8 results, 16 vec4s, 256 multiplications.
 * Rows are an odd number of vec4s apart, and outer index `4 i + j` of B lies in row `j * BN / 4 + i`, so that neither the copy nor
 * the product meets bank conflicts. 32 neighbouring invocations form a patch of 4 x 8.
 *
 * The next part's numbers are read into registers before the product of the current one, and reach workgroup memory after it.
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
  /** Copies in workgroup memory: with two there is one barrier in a step instead of two. */
  buffers: 1 | 2
  turn?: boolean
  unroll?: boolean
  late?: boolean
  scatter?: boolean
}

/** Where one operand's numbers come from: WGSL snippets. `slot` counts the vec4s that an invocation fetches in a step. */
export interface GpuOperand {
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
  /** Statements that advance from one step to the next, if operands keep state. */
  advance?: string
  /** Statements that put a vec4 `value` of row `row` at the columns from `column` on; outside of the result they must do nothing. */
  store: string
}

export const invocations = (tile: GpuTile): number =>
  (tile.rows / tile.ownRows) * (tile.columns / tile.ownColumns)

/** Bytes of workgroup memory. */
export function workgroupBytes(tile: GpuTile, a: GpuOperand['layout'], b: GpuOperand['layout']): number {
  return 16 * tile.buffers * (vectors(tile, tile.rows, a) + vectors(tile, tile.columns, b))
}

/** How an operand lies in workgroup memory. */
const placed = (tile: GpuTile, layout: GpuOperand['layout']): GpuOperand['layout'] | 'turned' =>
  layout === 'rows' && (tile.turn || tile.scatter) ? 'turned' : layout

const scattered = (tile: GpuTile, layout: GpuOperand['layout']) => layout === 'rows' && tile.scatter === true

/** Distance of rows in workgroup memory, in vec4s. */
const rowStride = (tile: GpuTile) => (tile.depth / 4) | 1

const vectors = (tile: GpuTile, outer: number, layout: GpuOperand['layout']) =>
  placed(tile, layout) === 'rows'
    ? outer * rowStride(tile)
    : tile.depth * lineStride(outer, placed(tile, layout) === 'turned')

const lineStride = (outer: number, turned: boolean) => outer / 4 + (turned ? 1 : 0)

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
  const each = (key: 'begin' | 'fetch' | 'declare') => sides.map((side) => side[key]).join('\n')
  const put = (buffer: string) => sides.map((side) => side.put(buffer)).join('\n')
  const fetch = `${a.step ?? ''}\n${b.step ?? ''}\n${each('fetch')}`
  const multiply = (buffer: string) => multiplication(tile, a.layout, b.layout, buffer)
  // A patch of 4 x 8 invocations, if there are so many.
  const patch = Math.min(8, across)
  const patchRows = Math.min(32 / patch, down)
  const loop =
    tile.buffers === 2
      ? `
    if (stepBegin < stepEnd) {
      let step = stepBegin;
      ${fetch}
      ${put('0u')}
    }
    workgroupBarrier();
    for (var step = stepBegin; step < stepEnd; step++) {
      let current = (step - stepBegin) & 1u;
      if (step + 1u < stepEnd) {
        ${product.advance ?? ''}
        { let step = step + 1u; ${fetch} }
      }
      ${multiply('current')}
      if (step + 1u < stepEnd) {
        let other = current ^ 1u;
        ${put('other')}
      }
      workgroupBarrier();
    }`
      : tile.late
        ? `
    for (var step = stepBegin; step < stepEnd; step++) {
      ${fetch}
      ${product.advance ?? ''}
      workgroupBarrier();
      ${put('0u')}
      workgroupBarrier();
      ${multiply('0u')}
    }`
        : `
    if (stepBegin < stepEnd) { let step = stepBegin; ${fetch} }
    for (var step = stepBegin; step < stepEnd; step++) {
      workgroupBarrier();
      ${put('0u')}
      workgroupBarrier();
      if (step + 1u < stepEnd) {
        ${product.advance ?? ''}
        { let step = step + 1u; ${fetch} }
      }
      ${multiply('0u')}
    }`
  return /* wgsl */ `
  ${a.functions ?? ''}
  ${b.functions ?? ''}
  ${product.functions ?? ''}
  ${workgroupArray('a', tile, tile.rows, a.layout)}
  ${workgroupArray('b', tile, tile.columns, b.layout)}
  @compute @workgroup_size(${threads})
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32) {
    ${product.begin}
    let patchIndex = local / ${patch * patchRows}u;
    let ownColumn = (local % ${patch}u) + (patchIndex % ${across / patch}u) * ${patch}u;
    let ownRow = (local / ${patch}u) % ${patchRows}u + (patchIndex / ${across / patch}u) * ${patchRows}u;
    ${each('begin')}
    ${each('declare')}
    ${range(tile.ownRows)
      .map((i) =>
        range(tile.ownColumns / 4)
          .map((j) => `var c${i}_${j} = vec4<f32>();`)
          .join(' '),
      )
      .join('\n')}
    ${loop}
    ${range(tile.ownRows)
      .map((i) => {
        const row =
          placed(tile, a.layout) === 'rows'
            ? `ownRow + ${i * down}u`
            : `(ownRow + ${(i >> 2) * down}u) * 4u + ${i & 3}u`
        return `{ let row = rowBegin + ${row};
        ${range(tile.ownColumns / 4)
          .map(
            (j) =>
              `{ let column = columnBegin + (ownColumn + ${j * across}u) * 4u; var value = c${i}_${j}; ${product.store} }`,
          )
          .join('\n')} }`
      })
      .join('\n')}
  }`
}

const workgroupArray = (name: string, tile: GpuTile, outer: number, layout: GpuOperand['layout']) => {
  const size = tile.buffers * vectors(tile, outer, layout)
  return scattered(tile, layout)
    ? `var<workgroup> ${name}Part: array<f32, ${4 * size}>;
  fn part_${name}(index: u32) -> vec4<f32> {
    let first = index * 4u;
    return vec4<f32>(${name}Part[first], ${name}Part[first + 1u], ${name}Part[first + 2u], ${name}Part[first + 3u]);
  }`
    : `var<workgroup> ${name}Part: array<vec4<f32>, ${size}>;
  fn part_${name}(index: u32) -> vec4<f32> { return ${name}Part[index]; }`
}

/** An operand's way from its tensor to workgroup memory. */
function operandCode(name: 'a' | 'b', operand: GpuOperand, tile: GpuTile, outer: number, threads: number) {
  const vectorsOfLine = operand.layout === 'rows' ? tile.depth / 4 : outer / 4
  const slots = Math.ceil((outer * tile.depth) / 4 / threads)
  const lines = threads / vectorsOfLine
  const turned = placed(tile, operand.layout) === 'turned'
  const isScattered = scattered(tile, operand.layout)
  if (
    (turned && !isScattered && slots % 4 !== 0) ||
    !Number.isInteger(lines) ||
    slots * threads * 4 !== outer * tile.depth
  ) {
    throw new Error(`tiledProduct: ${threads} invocations cannot share the parts of ${JSON.stringify(tile)}`)
  }
  const line = (slot: number) => `${name}Line + ${slot * lines}u`
  const size = vectors(tile, outer, operand.layout)
  const place = placed(tile, operand.layout)
  const begin = range(slots).map((slot) => {
    if (operand.layout === 'columns') return operand.begin(slot, `${name}Vector * 4u`, line(slot))
    // The row that lies there: see the notes.
    const row =
      place === 'turned' && !isScattered
        ? `(${name}Line + ${(slot >> 2) * lines}u) * 4u + ${slot & 3}u`
        : name === 'a' || isScattered
          ? line(slot)
          : `((${line(slot)}) % ${outer / 4}u) * 4u + (${line(slot)}) / ${outer / 4}u`
    return operand.begin(slot, row, `${name}Vector * 4u`)
  })
  const stride = place === 'rows' ? rowStride(tile) : lineStride(outer, place === 'turned')
  const pairs = vectorsOfLine / 2
  const where = isScattered
    ? `let ${name}Vector = (local & 1u) + 2u * ((local >> 5u) % ${pairs}u);
      let ${name}Line = ((local >> 1u) & 15u) + 16u * (local / ${32 * pairs}u);
      let ${name}Place = ${name}Vector * ${16 * stride}u + ${name}Line;`
    : place === 'turned'
      ? `let ${name}Vector = ((local >> 2u) & 1u) + 2u * ((local >> 3u) % ${vectorsOfLine / 2}u);
      let ${name}Line = (local & 3u) + 4u * (local / ${4 * vectorsOfLine}u);
      let ${name}Place = ${name}Vector * ${4 * stride}u + ${name}Line;`
      : `let ${name}Vector = local % ${vectorsOfLine}u;
      let ${name}Line = local / ${vectorsOfLine}u;
      let ${name}Place = ${name}Line * ${stride}u + ${name}Vector;`
  return {
    begin: `${where}
      ${begin.join('\n')}`,
    declare: range(slots)
      .map((slot) => `var ${name}Next${slot} = vec4<f32>();`)
      .join(' '),
    fetch: range(slots)
      .map((slot) => `${operand.fetchBegin?.(slot) ?? ''} ${name}Next${slot} = ${operand.fetch(slot)};`)
      .join('\n'),
    put: (buffer: string) => {
      if (isScattered) {
        return range(slots)
          .flatMap((slot) =>
            range(4).map(
              (k) =>
                `${name}Part[${buffer} * ${4 * size}u + ${name}Place + ${k * stride * 4 + slot * lines}u] = ${name}Next${slot}.${lanes[k]};`,
            ),
          )
          .join('\n')
      }
      const at = `${name}Part[${buffer} * ${size}u + ${name}Place`
      if (place !== 'turned') {
        return range(slots)
          .map((slot) => `${at} + ${slot * lines * stride}u] = ${name}Next${slot};`)
          .join('\n')
      }
      return range(slots / 4)
        .flatMap((block) =>
          range(4).map((k) => {
            const values = range(4).map((row) => `${name}Next${block * 4 + row}.${lanes[k]}`)
            return `${at} + ${k * stride + block * lines}u] = vec4<f32>(${values.join(', ')});`
          }),
        )
        .join('\n')
    },
  }
}

/** The product of what lies in workgroup memory, added to the results. */
function multiplication(
  tile: GpuTile,
  aOperand: GpuOperand['layout'],
  bOperand: GpuOperand['layout'],
  buffer: string,
): string {
  const [aLayout, bLayout] = [placed(tile, aOperand), placed(tile, bOperand)]
  const aStride = lineStride(tile.rows, aLayout === 'turned')
  const bStride = lineStride(tile.columns, bLayout === 'turned')
  const stride = rowStride(tile)
  const down = tile.rows / tile.ownRows
  const across = tile.columns / tile.ownColumns
  const aStart = `${buffer} * ${vectors(tile, tile.rows, aOperand)}u`
  const bStart = `${buffer} * ${vectors(tile, tile.columns, bOperand)}u`
  const rows = range(tile.ownRows)
  const quads = range(tile.ownColumns / 4)
  const once: string[] = []
  if (aLayout === 'rows') {
    for (const i of rows) once.push(`let a${i} = part_a(aOrigin + ${i * down * stride}u + inner);`)
  }
  if (bLayout === 'rows') {
    for (const j of quads) {
      for (const lane of range(4)) {
        const place = (lane * tile.columns) / 4 + j * across
        once.push(`let b${j}_${lane} = part_b(bOrigin + ${place * stride}u + inner);`)
      }
    }
  }
  const steps = range(4).map((k) => {
    const lane = lanes[k]
    const lines: string[] = []
    if (aLayout !== 'rows') {
      for (const i of range(tile.ownRows / 4)) {
        lines.push(`let p${i} = part_a(aOrigin + (inner * 4u + ${k}u) * ${aStride}u + ${i * down}u);`)
      }
    }
    for (const j of quads) {
      const value =
        bLayout === 'rows'
          ? `vec4<f32>(${range(4)
              .map((l) => `b${j}_${l}.${lane}`)
              .join(', ')})`
          : `part_b(bOrigin + (inner * 4u + ${k}u) * ${bStride}u + ${j * across}u)`
      lines.push(`let q${j} = ${value};`)
    }
    for (const i of rows) {
      const factor = aLayout === 'rows' ? `a${i}.${lane}` : `p${i >> 2}.${lanes[i & 3]}`
      for (const j of quads) lines.push(`c${i}_${j} = fma(vec4<f32>(${factor}), q${j}, c${i}_${j});`)
    }
    return `{ ${lines.join('\n')} }`
  })
  return `{
    let aOrigin = ${aStart} + ownRow${aLayout === 'rows' ? ` * ${stride}u` : ''};
    let bOrigin = ${bStart} + ownColumn${bLayout === 'rows' ? ` * ${stride}u` : ''};
    ${
      tile.unroll
        ? range(tile.depth / 4)
            .map((inner) => `{ const inner = ${inner}u; ${once.join('\n')} ${steps.join('\n')} }`)
            .join('\n')
        : `for (var inner = 0u; inner < ${tile.depth / 4}u; inner++) {
      ${once.join('\n')}
      ${steps.join('\n')}
    }`
    }
  }`
}
