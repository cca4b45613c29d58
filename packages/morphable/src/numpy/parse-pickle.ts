import { ModelFormatError } from '@facekit/core'

/** What a pickle says is to be called or made; here nothing is. */
export interface PickleObject {
  /** Module and name, e.g. `numpy.ndarray`. */
  global: string
  /** What it would be called with; undefined where the pickle only names it. */
  args?: readonly PickleValue[]
  /** What it would be given then. */
  state?: PickleValue
}

/** A value of a pickle. Text of Python 2 is bytes, lists and tuples are arrays, sets are left empty. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject

/** Whether bytes begin like a pickle of protocol 2 to 5. */
export const isPickle = (bytes: Uint8Array) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5

/** Where a list of operands begins. */
const MARK = Symbol('mark')
type Item = PickleValue | typeof MARK

/** Reads a Python pickle as data. A pickle is a program of a small stack machine (Python's `pickletools` lists its operations); those that would import, call or
 * build something leave a note of it here, and nothing is imported or called.
 *
 * @throws {ModelFormatError} when it is truncated, or has an operation that data do not need
 */
export function parsePickle(bytes: Uint8Array, who: string): PickleValue {
  const fail = (what: string): never => {
    throw new ModelFormatError(`${who}: ${what}; expected a Python pickle of arrays`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const memo = new Map<number, PickleValue>()
  const stack: Item[] = []
  let at = 0
  const take = (length: number): number => {
    const from = at
    if (!(length >= 0) || from + length > bytes.length) fail('the pickle is truncated')
    at += length
    return from
  }
  const uint8 = () => bytes[take(1)]
  const uint16 = () => view.getUint16(take(2), true)
  const int32 = () => view.getInt32(take(4), true)
  const uint32 = () => view.getUint32(take(4), true)
  const uint64 = () => Number(view.getBigUint64(take(8), true))
  const raw = (length: number) => {
    const from = take(length)
    return bytes.subarray(from, from + length)
  }
  const text = (length: number) => new TextDecoder().decode(raw(length))
  const line = () => {
    const end = bytes.indexOf(0x0a, at)
    const found = text((end < 0 ? bytes.length + 1 : end) - at)
    take(1)
    return found
  }
  /** A whole number of any length, least byte first; those that no array needs lose their last digits. */
  const long = (length: number) => {
    const digits = raw(length)
    let value = 0
    for (let i = length - 1; i >= 0; i--) value = value * 256 + digits[i]
    return length > 0 && digits[length - 1] > 127 ? value - 256 ** length : value
  }
  const pop = (): PickleValue => {
    const item = stack.pop()
    return item === undefined || item === MARK ? fail('the pickle takes what is not there') : item
  }
  const popMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(MARK)
    if (from < 0) fail('the pickle takes what is not there')
    return stack.splice(from).slice(1) as PickleValue[]
  }
  const top = (): PickleValue => {
    const item = pop()
    stack.push(item)
    return item
  }
  const called = (): void => {
    const [args, global] = [pop(), pop()]
    if (!isObject(global) || global.args !== undefined || !Array.isArray(args))
      return void fail('the pickle calls what has no name')
    stack.push({ global: global.global, args })
  }
  const named = (module: PickleValue, name: PickleValue) =>
    stack.push({ global: `${pickleText(module)}.${pickleText(name)}` })
  const setItems = (items: readonly PickleValue[]) => {
    const map = top()
    if (!(map instanceof Map)) return void fail('the pickle puts items into no dictionary')
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]]
      map.set(key instanceof Uint8Array ? pickleText(key) : key, value)
    }
  }
  const append = (items: readonly PickleValue[]) => {
    const list = top()
    // Objects may be lists of their own; what is appended to those is of no use here.
    if (Array.isArray(list)) for (const item of items) list.push(item)
    else if (!isObject(list)) fail('the pickle appends to no list')
  }
  const tuple = (count: number) => stack.push(Array.from({ length: count }, pop).toReversed())
  const operations: Record<string, () => unknown> = {
    '\x80': () => uint8(),
    '\x95': () => uint64(),
    '(': () => stack.push(MARK),
    '0': pop,
    '1': popMark,
    '2': () => stack.push(top()),
    N: () => stack.push(null),
    '\x88': () => stack.push(true),
    '\x89': () => stack.push(false),
    J: () => stack.push(int32()),
    K: () => stack.push(uint8()),
    M: () => stack.push(uint16()),
    '\x8a': () => stack.push(long(uint8())),
    '\x8b': () => stack.push(long(uint32())),
    G: () => stack.push(view.getFloat64(take(8))),
    T: () => stack.push(raw(uint32())),
    U: () => stack.push(raw(uint8())),
    B: () => stack.push(raw(uint32())),
    C: () => stack.push(raw(uint8())),
    '\x8e': () => stack.push(raw(uint64())),
    '\x96': () => stack.push(raw(uint64())),
    X: () => stack.push(text(uint32())),
    '\x8c': () => stack.push(text(uint8())),
    '\x8d': () => stack.push(text(uint64())),
    ']': () => stack.push([]),
    '\x8f': () => stack.push([]),
    l: () => stack.push(popMark()),
    '\x91': () => stack.push(popMark()),
    a: () => append([pop()]),
    e: () => append(popMark()),
    '\x90': () => append(popMark()),
    ')': () => stack.push([]),
    t: () => stack.push(popMark()),
    '\x85': () => tuple(1),
    '\x86': () => tuple(2),
    '\x87': () => tuple(3),
    '}': () => stack.push(new Map()),
    d: () => {
      const items = popMark()
      stack.push(new Map())
      setItems(items)
    },
    s: () => setItems([pop(), pop()].toReversed()),
    u: () => setItems(popMark()),
    c: () => named(line(), line()),
    '\x93': () => {
      const [name, module] = [pop(), pop()]
      named(module, name)
    },
    R: called,
    '\x81': called,
    b: () => {
      const [state, made] = [pop(), top()]
      if (!isObject(made)) fail('the pickle gives a state to what has none')
      else made.state = state
    },
    q: () => memo.set(uint8(), top()),
    r: () => memo.set(uint32(), top()),
    '\x94': () => memo.set(memo.size, top()),
    h: () => stack.push(remembered(uint8())),
    j: () => stack.push(remembered(uint32())),
  }
  const remembered = (key: number): PickleValue => memo.get(key) ?? fail('the pickle takes what is not there')
  for (;;) {
    const code = String.fromCharCode(uint8())
    if (code === '.') return pop()
    const operation = Object.hasOwn(operations, code) ? operations[code] : undefined
    if (!operation) fail(`the pickle has the operation 0x${code.charCodeAt(0).toString(16)}`)
    operation?.()
  }
}

/** Whether a value is something that Python would make. */
export const isObject = (value: PickleValue | undefined): value is PickleObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Map) &&
  !(value instanceof Uint8Array)

/** Text of Python 3, or of Python 2, whose letters are bytes; empty where it is none. */
export function pickleText(value: PickleValue | undefined): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array && value.length < 1024 ? String.fromCharCode(...value) : ''
}
