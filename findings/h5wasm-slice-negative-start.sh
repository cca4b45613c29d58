#!/usr/bin/env bash
# Package h5wasm 0.10.3 (2026): Dataset.slice with a negative start.
#
# Guess:     as in numpy, h5py and Array.prototype.slice, [-2, 3] of three rows are the last two; or an error says that it is not supported.
# Behaviour: a negative start counts as 0: all three rows come back, without an error. (An end beyond the data is cut off silently, too.)
# Output:    rows [1, 3): 4 5 6 7 8 9 10 11, rows [-2, 3): 0 1 2 3 4 5 6 7 8 9 10 11
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund h5wasm@0.10.3
cat >slice.mjs <<'JS'
import h5wasm from 'h5wasm/node'
await h5wasm.ready
const written = new h5wasm.File('rows.h5', 'w')
written.create_dataset({ name: 'rows', data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [3, 4] })
written.close()
const rows = new h5wasm.File('rows.h5', 'r').get('rows')
const of = (start, end) => [...rows.slice([[start, end], []])].join(' ')
const line = `rows [1, 3): ${of(1, 3)}, rows [-2, 3): ${of(-2, 3)}`
console.log(line)
process.exit(line === 'rows [1, 3): 4 5 6 7 8 9 10 11, rows [-2, 3): 0 1 2 3 4 5 6 7 8 9 10 11' ? 0 : 1)
JS
node slice.mjs
