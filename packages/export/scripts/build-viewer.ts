import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'fflate'
import { build } from 'esbuild'

const ROOT = new URL('..', import.meta.url)

/** Bundles the script of the page, three.js inside, as text that can stand in a script element. */
export async function bundleViewer(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('scripts/viewer/main.ts', ROOT))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'inline',
    conditions: ['@facekit/source'],
    // Only what writes files asks for it, and that is not in the bundle.
    external: ['node:*'],
  })
  return result.outputFiles[0].text.replaceAll('</script', String.raw`<\/script`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const script = await bundleViewer()
  const packed = Buffer.from(gzipSync(new TextEncoder().encode(script), { level: 9, mtime: 0 })).toString(
    'base64',
  )
  const hash = createHash('sha256').update(script).digest('base64')
  await writeFile(
    new URL('src/viewer-bundle.ts', ROOT),
    `// Made by scripts/build-viewer.ts from scripts/viewer, @facekit/viewer and three.js (MIT): gzip, then base64. Do not edit.\nexport const viewerBundle =\n  '${packed}'\n/** SHA-256 of the script, for the page's content security policy. */\nexport const viewerScriptHash = '${hash}'\n`,
  )
  console.log(`viewer: ${script.length} bytes, packed ${packed.length}`)
}
