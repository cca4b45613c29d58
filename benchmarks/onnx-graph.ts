/** Writes an ONNX model by hand: the format is Protocol Buffers, and few of its messages are needed. Numbers of fields are those of onnx.proto. */

type Field = Uint8Array

const [FLOAT, INT64] = [1, 7]
const text = new TextEncoder()

function join(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

function varint(value: number): Uint8Array {
  // As 64 bits in two's complement.
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(low | (rest > 0n ? 128 : 0))
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}

const integer = (field: number, value: number): Field => join([varint(field * 8), varint(value)])
const bytes = (field: number, value: Uint8Array): Field =>
  join([varint(field * 8 + 2), varint(value.length), value])
const string = (field: number, value: string): Field => bytes(field, text.encode(value))
const message = (field: number, fields: readonly Field[]): Field => bytes(field, join(fields))
const float = (field: number, value: number): Field =>
  join([varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)])

/** An attribute of a node; `{ float }` for one that is no whole number. */
export type OnnxAttribute = string | number | readonly number[] | { float: number }

function attribute(name: string, value: OnnxAttribute): Field {
  if (typeof value === 'string')
    return message(5, [string(1, name), bytes(4, text.encode(value)), integer(20, 3)])
  if (typeof value === 'number') return message(5, [string(1, name), integer(3, value), integer(20, 2)])
  if ('float' in value) return message(5, [string(1, name), float(2, value.float), integer(20, 1)])
  return message(5, [string(1, name), ...value.map((item) => integer(8, item)), integer(20, 7)])
}

const valueInfo = (field: number, name: string, shape: readonly number[]): Field => {
  const sizes = shape.map((size) => message(1, [integer(1, size)]))
  return message(field, [string(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, sizes)])])])
}

/** A graph that is built node by node. */
export class OnnxGraph {
  readonly #fields: Field[] = []
  #count = 0

  /** @returns the name of its first output */
  node(type: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    const output = `x${++this.#count}`
    this.#fields.push(
      message(1, [
        ...inputs.map((input) => string(1, input)),
        string(2, output),
        string(4, type),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ]),
    )
    return output
  }

  /** @returns its name */
  constant(values: Float32Array | BigInt64Array, shape: readonly number[]): string {
    const name = `w${++this.#count}`
    this.#fields.push(
      message(5, [
        ...shape.map((size) => integer(1, size)),
        integer(2, values instanceof Float32Array ? FLOAT : INT64),
        string(8, name),
        bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
      ]),
    )
    return name
  }

  /** Whole numbers: a shape, or paddings. */
  integers(values: readonly number[]): string {
    return this.constant(BigInt64Array.from(values.map(BigInt)), [values.length])
  }

  input(name: string, shape: readonly number[]): string {
    this.#fields.push(valueInfo(11, name, shape))
    return name
  }

  output(name: string, shape: readonly number[]): void {
    this.#fields.push(valueInfo(12, name, shape))
  }

  /** The model's file. */
  encode(name: string): Uint8Array {
    const graph = message(7, [...this.#fields, string(2, name)])
    return join([integer(1, 8), graph, message(8, [integer(2, 17)])])
  }
}
