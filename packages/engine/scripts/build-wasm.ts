/** Compiles assembly/ (AssemblyScript) to WebAssembly and writes the bytes into src/wasm/wasm-binary.ts.
 *
 *   npx tsx packages/engine/scripts/build-wasm.ts
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('..', import.meta.url))
const output = fileURLToPath(new URL('../src/wasm/wasm-binary.ts', import.meta.url))

const shared = ['assembly/shared.ts', '--enable=threads', '--sharedMemory', '--maximumMemory=65536']
const relaxed = '--enable=relaxed-simd'

/** What is built: for a memory of one's own, and for one that threads share; and both with fused multiplications and additions. */
const variants = {
  plain: ['assembly/index.ts'],
  shared,
  relaxedPlain: ['assembly/index.ts', relaxed],
  relaxedShared: [...shared, relaxed],
}

/** The text of src/wasm/wasm-binary.ts, made from the sources. */
export async function wasmBinarySource(): Promise<string> {
  const lines: string[] = []
  for (const [name, flags] of Object.entries(variants)) {
    const bytes = await compile(flags)
    lines.push(`  ${name}:`, `    '${Buffer.from(bytes).toString('base64')}',`)
  }
  return [
    '// Made by scripts/build-wasm.ts from assembly/; do not edit.',
    '',
    '/** The compiled kernels, in base64: for a memory of its own, and for one that threads share; both also for engines with relaxed SIMD. */',
    'export const wasmBinary = {',
    ...lines,
    '} as const',
    '',
  ].join('\n')
}

async function compile(flags: string[]): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  const { error, stderr } = await main(
    [
      `--baseDir=${folder}`,
      '--outFile=kernels.wasm',
      '--optimizeLevel=3',
      '--shrinkLevel=0',
      '--enable=simd',
      '--runtime=stub',
      '--noAssert',
      '--use=abort=',
      '--importMemory',
      ...flags,
    ],
    {
      readFile: async (name, base) => {
        try {
          return await readFile(`${base}/${name}`, 'utf8')
        } catch {
          return null
        }
      },
      writeFile: (_, contents) => {
        bytes = contents as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error || !bytes) throw new Error(`assembly/ does not compile: ${error?.message} ${stderr.toString()}`)
  return bytes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const before = await readFile(output, 'utf8').catch(() => '')
  const source = await wasmBinarySource()
  if (source !== before) await writeFile(output, source)
  console.log(
    `src/wasm/wasm-binary.ts: ${source.length} characters, ${source === before ? 'as it was' : 'written'}`,
  )
}
