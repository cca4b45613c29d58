import { readdirSync, writeFileSync } from 'node:fs'
import { detectFaces, findDenseLandmarks, readPicture, disposeNetworks } from '@facekit/annotate'
import { initEngine } from '@facekit/engine'
await initEngine({ backend: 'wasm' })
const out: any = {}
for (const f of readdirSync('/tmp/fid/seed1').filter((f) => f.endsWith('.png'))) {
  const p = await readPicture('/tmp/fid/seed1/' + f)
  const faces = await detectFaces(p, { minScore: 0.1 })
  if (!faces.length) { console.log('none', f); continue }
  const d = await findDenseLandmarks(p, faces[0].box)
  out[f] = { p: Array.from(d.positions.data.slice(0, 136)), z: Array.from(d.depths.slice(0, 68)), s: Array.from(d.deviations.slice(0, 68)), sz: Array.from(d.depthDeviations.slice(0, 68)), id: Array.from(d.identity!.mean.slice(0, 10)), ids: Array.from(d.identity!.deviations.slice(0, 10)) }
}
writeFileSync('/tmp/dense-fid.json', JSON.stringify(out))
process.exit(0)
