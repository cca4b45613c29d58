#!/usr/bin/env bash
# Package webgl-obj-loader 2.0.8: OBJ files whose faces count vertices from the end, and lines that go on after a backslash. Both belong to the format.
#
# Guess:     `f -3 -2 -1` is the triangle of the last three vertices, and a line that ends in a backslash goes on in the next one, as in three's loader;
#            or an error.
# Behaviour: neither, and no error: relative indices give vertices that are NaN with indices that look right, so the mesh draws nothing and every
#            box and distance of it is NaN; a face on two lines loses the corners of the second.
# Output:    relative: 9 of 9 coordinates NaN, indices 0,1,2; continued: indices 0,1; plain: 0 of 9 coordinates NaN, indices 0,1,2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund webgl-obj-loader@2.0.8
cat >faces.mjs <<'JS'
import * as loader from 'webgl-obj-loader'

const Mesh = loader.Mesh ?? loader.default.Mesh
const points = 'v 0 0 0\nv 1 0 0\nv 0 1 0\n'
const read = (face) => {
  const { vertices, indices } = new Mesh(`${points}${face}\n`)
  return { missing: vertices.filter(Number.isNaN).length, count: vertices.length, indices: indices.join() }
}
const plain = read('f 1 2 3')
const relative = read('f -3 -2 -1')
const continued = read('f 1 \\\n2 3')
const told = ({ missing, count, indices }) => `${missing} of ${count} coordinates NaN, indices ${indices}`
console.log(`relative: ${told(relative)}; continued: indices ${continued.indices}; plain: ${told(plain)}`)
const right = plain.missing === 0 && plain.indices === '0,1,2'
process.exit(right && relative.missing === 9 && relative.indices === '0,1,2' && continued.indices === '0,1' ? 0 : 1)
JS
node faces.mjs
