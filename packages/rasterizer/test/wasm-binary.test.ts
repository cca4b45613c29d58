import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { wasmBinarySource } from '../scripts/build-wasm.js'

describe('own WASM kernels', () => {
  it('value: src/cpu/wasm-binary.ts is what assembly/ compiles to', async () => {
    const checkedIn = await readFile(new URL('../src/cpu/wasm-binary.ts', import.meta.url), 'utf8')
    expect(await wasmBinarySource(), 'run npx tsx packages/rasterizer/scripts/build-wasm.ts').toBe(checkedIn)
  })
})
