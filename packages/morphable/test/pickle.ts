/** Bytes of a pickle of protocol 2, as Python 3 writes a dictionary of numpy's arrays of type float64 and int32.
 *
 * @param more - operations that leave a value on the stack, by the name that the value gets
 */
export function pickleArrays(
  arrays: Readonly<Record<string, { shape: readonly number[]; data: Float64Array | Int32Array }>>,
  more: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const little = (value: number) =>
    String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >> shift) & 255))
  const text = (value: string) => `X${little(value.length)}${value}`
  const numbers = (values: readonly number[]) => `(${values.map((n) => `J${little(n)}`).join('')}t`
  const packed = ({ buffer, byteOffset, byteLength }: Float64Array | Int32Array) =>
    `T${little(byteLength)}${Buffer.from(buffer, byteOffset, byteLength).toString('latin1')}`
  const array = (shape: readonly number[], data: Float64Array | Int32Array) => {
    const type = data instanceof Float64Array ? 'f8' : 'i4'
    const made = `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n${numbers([0])}U\x01btR`
    const dtype = `cnumpy\ndtype\n(${text(type)}K\x00K\x01tR(K\x03U\x01<NNNJ${little(-1)}J${little(-1)}K\x00tb`
    return `${made}(K\x01${numbers(shape)}${dtype}\x89${packed(data)}tb`
  }
  const items = Object.entries(arrays).map(([name, { shape, data }]) => text(name) + array(shape, data))
  const others = Object.entries(more).map(([name, operations]) => text(name) + operations)
  return new Uint8Array(Buffer.from(`\x80\x02}(${items.join('')}${others.join('')}u.`, 'latin1'))
}
