#!/usr/bin/env bash
# Package @gltf-transform/core 4.5.1 (2026): writing a sparse accessor of normalised integers (a blend shape in few bytes).
#
# Guess:     sparse or not is a way to store an accessor: the numbers that are read back are those that were set.
# Behaviour: sparse and normalised together come back as zeros: the writer collects the decoded values, between -1 and 1, and
#            stores those as integers. Either one alone is right. Nothing is thrown or logged.
# Output:    dense: 0 0.5039 0; sparse: 0 0 0; sparse, not normalised: 0 64 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @gltf-transform/core@4.5.1
cat >sparse.mjs <<'JS'
import { Document, NodeIO } from '@gltf-transform/core'

async function roundTrip(sparse, normalized) {
  const document = new Document()
  const values = new Int8Array(3 * 100)
  values[1] = 64
  const accessor = document
    .createAccessor('deltas')
    .setType('VEC3')
    .setArray(values)
    .setNormalized(normalized)
    .setSparse(sparse)
    .setBuffer(document.createBuffer())
  const position = document.createAccessor().setType('VEC3').setArray(new Float32Array(3 * 100)).setBuffer(document.getRoot().listBuffers()[0])
  const primitive = document.createPrimitive().setAttribute('POSITION', position)
  primitive.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', accessor))
  document.createMesh('face').addPrimitive(primitive)
  const io = new NodeIO()
  const read = await io.readBinary(await io.writeBinary(document))
  const back = read.getRoot().listMeshes()[0].listPrimitives()[0].listTargets()[0].getAttribute('POSITION')
  return back.getElement(0, []).map((x) => Number(x.toFixed(4))).join(' ')
}

const line = `dense: ${await roundTrip(false, true)}; sparse: ${await roundTrip(true, true)}; sparse, not normalised: ${await roundTrip(true, false)}`
console.log(line)
process.exit(line === 'dense: 0 0.5039 0; sparse: 0 0 0; sparse, not normalised: 0 64 0' ? 0 : 1)
JS
node sparse.mjs
