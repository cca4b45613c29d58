#!/usr/bin/env bash
# Package h5wasm 0.10.3 (2026): HDF5 integers that use fewer bits than their storage, here 12 bits in 16.
# The file is made by h5py 3.14.0.
#
# Guess:     the values come back as the HDF5 library converts them: 5, -7, 1000.
# Behaviour: the stored words come back raw, shifted by the bit offset and without their sign (20, 16356, 4000), and `dtype` says "<h", an ordinary 16-bit
#            integer: nothing in `dtype` tells that the numbers mean something else. h5py reads 5, -7, 1000 of the same file.
# Output:    h5py: 5 -7 1000, h5wasm: 20 16356 4000 as <h
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund h5wasm@0.10.3
python3 -m pip install --quiet --target site h5py==3.14.0 numpy==2.4.6 2>/dev/null
PYTHONPATH=site python3 - <<'PY' >h5py.txt
import h5py
import numpy as np
kind = h5py.h5t.STD_I16LE.copy()
kind.set_precision(12)
kind.set_offset(2)
with h5py.File('twelve.h5', 'w') as file:
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(file.id, b'values', kind, space).write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([5, -7, 1000], np.int16))
with h5py.File('twelve.h5') as file:
    print(*file['values'][:])
PY
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs'
import h5wasm from 'h5wasm/node'
await h5wasm.ready
const values = new h5wasm.File('twelve.h5', 'r').get('values')
const line = `h5py: ${readFileSync('h5py.txt', 'utf8').trim()}, h5wasm: ${[...values.value].join(' ')} as ${values.dtype}`
console.log(line)
process.exit(line === 'h5py: 5 -7 1000, h5wasm: 20 16356 4000 as <h' ? 0 : 1)
JS
node read.mjs
