/** Compiles assembly/ (AssemblyScript) to WebAssembly and writes the bytes into src/cpu/wasm-binary.ts.
 *
 *   npx tsx packages/rasterizer/scripts/build-wasm.ts
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('..', import.meta.url))
const output = fileURLToPath(new URL('../src/cpu/wasm-binary.ts', import.meta.url))

/** What is built: for a memory of one's own, and for one that threads share. */
const variants = {
  plain: [],
  shared: ['--enable=threads', '--sharedMemory', '--maximumMemory=65536'],
}

/** The text of src/cpu/wasm-binary.ts, made from the sources. */
export async function wasmBinarySource(): Promise<string> {
  const lines: string[] = []
  for (const [name, flags] of Object.entries(variants)) {
    const bytes = await compile(flags)
    lines.push(`  ${name}:`, `    '${Buffer.from(bytes).toString('base64')}',`)
  }
  return [
    '// Made by scripts/build-wasm.ts from assembly/; do not edit.',
    '',
    '/** The compiled kernels, in base64: for a memory of its own, and for one that threads share. */',
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
      'assembly/index.ts',
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
    `src/cpu/wasm-binary.ts: ${source.length} characters, ${source === before ? 'as it was' : 'written'}`,
  )
}
