import type { GpuOperand } from './tile.js'
import { linesOf, range, unitInvocations, type UnitTile } from './unit-tile.js'

/** An operand's way from its tensor to workgroup memory: WGSL snippets. */
export interface UnitOperandCode {
  /** Before the loop. */
  begin: string
  /** Reads the part of `step` into registers. */
  fetch: string
  advance: string
  /** Writes it, from `aPlace` or `bPlace` on. */
  put: string
}

/** @param base - where the operand's parts begin in workgroup memory */
export function unitOperand(
  name: 'a' | 'b',
  operand: GpuOperand,
  tile: UnitTile,
  outer: number,
  base: number,
): UnitOperandCode {
  const { lines, vectors, stride } = linesOf(tile, outer, operand.layout)
  const threads = unitInvocations(tile)
  const slots = (lines * vectors) / threads
  const linesAtOnce = threads / vectors
  if (!Number.isInteger(slots) || !Number.isInteger(linesAtOnce))
    throw new Error(`unitProduct: ${threads} invocations cannot share the parts of ${JSON.stringify(tile)}`)
  const begin = range(slots).map((slot) => {
    const line = `${name}Line + ${slot * linesAtOnce}u`
    const vector = `${name}Vector * 8u`
    return operand.layout === 'rows' ? operand.begin(slot, line, vector) : operand.begin(slot, vector, line)
  })
  const all = (code: (slot: number) => string) => range(slots).map(code).join('\n')
  return {
    begin: `
      let ${name}Vector = local % ${vectors}u;
      let ${name}Line = local / ${vectors}u;
      let ${name}Place = ${base}u + ${name}Line * ${stride}u + ${name}Vector;
      ${begin.join('\n')}
      ${all((slot) => `var ${name}Next${slot} = vec4<u32>();`)}`,
    fetch: `${operand.step ?? ''}
      ${all((slot) => `${operand.fetchBegin?.(slot) ?? ''} ${name}Next${slot} = ${operand.fetch(slot)};`)}`,
    advance: operand.advance ? all((slot) => operand.advance!(slot)) : '',
    put: all((slot) => `memory[${name}Place + ${slot * linesAtOnce * stride}u] = ${name}Next${slot};`),
  }
}
