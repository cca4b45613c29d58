import type { InitEngineOptions } from '../engine-info.js'

const SIMD = 'tfjs-backend-wasm-simd.wasm'
const THREADED = 'tfjs-backend-wasm-threaded-simd.wasm'

type WasmPaths = NonNullable<InitEngineOptions['wasmPaths']>

/** The `.wasm` files that the build copies beside this package's code; bundlers know this form, and carry the files along. */
export function shippedWasmFiles(): Record<string, string> {
  const simd = new URL('./tfjs-backend-wasm-simd.wasm', import.meta.url).href
  const threaded = new URL('./tfjs-backend-wasm-threaded-simd.wasm', import.meta.url).href
  // tfjs warns about a map that lacks the file for engines without SIMD, which never start here.
  return { 'tfjs-backend-wasm.wasm': simd, [SIMD]: simd, [THREADED]: threaded }
}

/** What a server sends in place of a `.wasm` file; `undefined` when the file is right, or nothing can be said.
 *
 * tfjs' own message is the same for every cause.
 */
export async function wasmFileFault(paths: WasmPaths, threaded: boolean): Promise<string | undefined> {
  const name = threaded ? THREADED : SIMD
  const url = typeof paths === 'string' ? `${paths}${name}` : paths[name]
  try {
    const response = await fetch(url)
    if (!response.ok) return `${url}: status ${response.status}`
    const bytes = new Uint8Array(await response.arrayBuffer())
    const magic = String.fromCharCode(...bytes.subarray(0, 4))
    if (magic === '\0asm') return undefined
    const page = /^\s*</.test(new TextDecoder().decode(bytes.subarray(0, 64)))
    return page
      ? `${url} is an HTML page: the server sends its fallback page for a file that it does not have`
      : `${url} is no WebAssembly`
  } catch (error) {
    return `${url}: ${error instanceof Error ? error.message : String(error)}`
  }
}
