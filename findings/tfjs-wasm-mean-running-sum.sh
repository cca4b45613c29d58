#!/usr/bin/env bash
# Packages @tensorflow/tfjs-core and @tensorflow/tfjs-backend-wasm 4.22.0: the mean of many equal numbers.
#
# Guess:     the mean of a picture that is 0.7 everywhere is 0.7 to six digits; float32 sums of such lengths are added pairwise or in several lanes.
# Behaviour: one float32 running sum: the error grows with the number of elements and changes sign: 0.7216 at 1024 x 1024 x 3, 0.6064 at 2048 x 2048 x 3 (the cpu backend,
#            which adds in float64, has 0.7000). A loss or a score averaged over a large picture is off by 13 %.
# Output:    512: 0.6945, 1024: 0.7216, 2048: 0.6064
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
cat >mean.mjs <<'JS'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
setWasmPaths('node_modules/@tensorflow/tfjs-backend-wasm/dist/')
await tf.setBackend('wasm')
const line = [512, 1024, 2048]
  .map((size) => `${size}: ${tf.mean(tf.fill([size, size, 3], 0.7)).dataSync()[0].toFixed(4)}`)
  .join(', ')
console.log(line)
process.exit(line === '512: 0.6945, 1024: 0.7216, 2048: 0.6064' ? 0 : 1)
JS
node mean.mjs 2>/dev/null
