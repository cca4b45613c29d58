#!/usr/bin/env bash
# Package koffi 3.3.4 (2026): typed arrays passed to a C function's pointer argument.
#
# Guess:     a Float64Array passed where the declaration says `float *` is converted element by element, as a plain array is, or refused.
# Behaviour: a plain array is converted; a typed array's memory is handed over as it lies, whatever its element type: C reads the halves of doubles, or the
#            bits of integers, as floats. No error. A caller of MPI or BLAS gets wrong sums; check the constructor before the call.
# Output:    array: 1.5 2.5, Float64Array: 0 1.9375, Int32Array: 1.401298464324817e-45 2.802596928649634e-45
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund koffi@3.3.4
cat >floats.mjs <<'JS'
import koffi from 'koffi'
const copy = koffi.load('libc.so.6').func('void *memcpy(_Out_ uint8_t *to, float *from, size_t bytes)')
/** What C sees of the first two floats. */
function seen(values) {
  const bytes = new Uint8Array(8)
  copy(bytes, values, 8)
  return [...new Float32Array(bytes.buffer)].join(' ')
}
const line = [
  `array: ${seen([1.5, 2.5])}`,
  `Float64Array: ${seen(Float64Array.of(1.5, 2.5))}`,
  `Int32Array: ${seen(Int32Array.of(1, 2))}`,
].join(', ')
console.log(line)
process.exit(
  line ===
    'array: 1.5 2.5, Float64Array: 0 1.9375, Int32Array: 1.401298464324817e-45 2.802596928649634e-45'
    ? 0
    : 1,
)
JS
node floats.mjs
