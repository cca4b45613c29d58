/** Runs `start` in such a way that the WASM module that it instantiates gets memory that threads can share.
 *
 * tfjs has a build with threads, but not for Node: its workers are started in a way that only browsers know. A module does not need atomic
 * instructions to work on shared memory, so the ordinary SIMD build does when one bit of its memory's declaration is set. That bit is set here,
 * on the way to `WebAssembly.instantiate`. (Threads then run our kernels, see threads.ts; XNNPACK keeps to one.)
 *
 * @param isWanted - tells the module that is meant from others that are instantiated meanwhile, by what it exports
 */
export async function withSharedMemory<T>(isWanted: string, start: () => Promise<T>): Promise<T> {
  const original = WebAssembly.instantiate
  const patched = (source: unknown, ...rest: unknown[]): unknown => {
    const bytes = source instanceof Uint8Array ? source : undefined
    const shared = bytes && exportsName(bytes, isWanted) ? shareMemory(bytes) : undefined
    return (original as unknown as (...all: unknown[]) => unknown)(shared ?? source, ...rest)
  }
  WebAssembly.instantiate = patched as typeof WebAssembly.instantiate
  try {
    return await start()
  } finally {
    // Unless somebody else has put something in its place since.
    if (WebAssembly.instantiate === (patched as unknown)) WebAssembly.instantiate = original
  }
}

const MEMORY_SECTION = 5
const EXPORT_SECTION = 7

/** Sections of a module: where their contents begin and end. */
function* sections(bytes: Uint8Array): Generator<{ id: number; begin: number; end: number }> {
  let at = 8
  while (at < bytes.length) {
    const id = bytes[at++]
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      size |= (byte & 127) << shift
      if (byte < 128) break
    }
    yield { id, begin: at, end: at + size }
    at += size
  }
}

function exportsName(bytes: Uint8Array, name: string): boolean {
  for (const { id, begin, end } of sections(bytes)) {
    if (id === EXPORT_SECTION)
      return new TextDecoder('latin1').decode(bytes.subarray(begin, end)).includes(name)
  }
  return false
}

/** A copy whose memory is declared as shared; undefined if it declares none, or none with a limit. */
function shareMemory(bytes: Uint8Array): Uint8Array | undefined {
  for (const { id, begin } of sections(bytes)) {
    // One memory, with a limit, not shared.
    if (id !== MEMORY_SECTION || bytes[begin] !== 1 || bytes[begin + 1] !== 1) continue
    const copy = bytes.slice()
    copy[begin + 1] = 3
    return copy
  }
  return undefined
}
