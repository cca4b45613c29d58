// A photograph in; a 3D face (.glb) and all of its numbers (.json) out.
//   node reconstruct.js photo.jpg
import { writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { reconstruct } from 'facekit'

const photograph = process.argv[2]
if (!photograph) {
  console.error('Usage: node reconstruct.js <photograph>')
  process.exit(1)
}

const name = basename(photograph, extname(photograph))
try {
  const face = await reconstruct(photograph, { onProgress: ({ stage }) => console.log(stage) })
  await writeFile(`${name}.glb`, await face.glb())
  await writeFile(`${name}.json`, JSON.stringify(face.parameters, undefined, 2))
  face.dispose()
  console.log(`${name}.glb, ${name}.json`)
  process.exit(0)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
