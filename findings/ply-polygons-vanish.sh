#!/usr/bin/env bash
# Packages @loaders.gl/ply 4.4.5 and three 0.187.0 (PLYLoader): faces of a PLY file that have more than four corners.
#
# Guess:     polygons become fans of triangles, as the OBJ loaders of the same two packages make them; or an error says that they cannot be read.
# Behaviour: both take triangles and quadrilaterals and drop every other face without a word: a scan whose tool merged flat triangles loads with holes,
#            and a file of pentagons alone gives a mesh without faces. Quadrilaterals are cut along different diagonals (0-2 in three, 1-3 in
#            loaders.gl): the surface of one that is not flat differs between them, and so does a distance measured to it.
# Output:    three: triangle 3, quadrilateral 6 (0,1,2,0,2,3), pentagon 0 indices; OBJ pentagon 9 corners
#            loaders.gl: triangle 3, quadrilateral 6 (0,1,3,1,2,3), pentagon 0 indices; OBJ pentagon 9 corners
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @loaders.gl/core@4.4.5 @loaders.gl/ply@4.4.5 @loaders.gl/obj@4.4.5 three@0.187.0
cat >polygons.mjs <<'JS'
import { parse } from '@loaders.gl/core'
import { OBJLoader as GlObj } from '@loaders.gl/obj'
import { PLYLoader as GlPly } from '@loaders.gl/ply'
import { OBJLoader } from 'three/examples/jsm/loaders/OBJLoader.js'
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js'

const points = ['0 0 0', '1 0 0', '1.5 1 0', '0.5 2 0', '-0.5 1 0']
const numbers = (corners) => Array.from({ length: corners }, (_, i) => i)
const ply = (corners) =>
  [
    'ply',
    'format ascii 1.0',
    `element vertex ${points.length}`,
    ...['x', 'y', 'z'].map((axis) => `property float ${axis}`),
    'element face 1',
    'property list uchar int vertex_indices',
    'end_header',
    ...points,
    `${corners} ${numbers(corners).join(' ')}`,
    '',
  ].join('\n')
const obj = [...points.map((point) => `v ${point}`), `f ${numbers(5).map((i) => i + 1).join(' ')}`, ''].join('\n')

const three = (corners) => [...(new PLYLoader().parse(ply(corners)).index?.array ?? [])]
const gl = async (corners) => [...(await parse(ply(corners), GlPly, { worker: false })).indices.value]
const seen = {
  three: [3, 4, 5].map(three),
  'loaders.gl': await Promise.all([3, 4, 5].map(gl)),
}
const corners = {
  three: new OBJLoader().parse(obj).children[0].geometry.attributes.position.count,
  'loaders.gl': (await parse(obj, GlObj, { worker: false })).attributes.POSITION.value.length / 3,
}
for (const [name, [triangle, quadrilateral, pentagon]] of Object.entries(seen)) {
  console.log(
    `${name}: triangle ${triangle.length}, quadrilateral ${quadrilateral.length} (${quadrilateral}), pentagon ${pentagon.length} indices; OBJ pentagon ${corners[name]} corners`,
  )
}
const same = (name, diagonal) =>
  seen[name].map((list) => list.length).join() === '3,6,0' && seen[name][1].join() === diagonal && corners[name] === 9
process.exit(same('three', '0,1,2,0,2,3') && same('loaders.gl', '0,1,3,1,2,3') ? 0 : 1)
JS
node polygons.mjs
