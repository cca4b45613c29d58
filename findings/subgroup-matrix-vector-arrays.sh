#!/usr/bin/env bash
# WGSL's matrix units: what subgroupMatrixLoad reads from. Package webgpu 0.6.2 (Dawn, 2026); any machine, no GPU: Dawn's null backend compiles the code.
#
# Guess:     a matrix of f16 is loaded from array<f16>, as in all examples, so that workgroup memory has to be written half by half; offset and stride count
#            numbers of the matrix.
# Behaviour: the form with the order of the matrix among the template's arguments, subgroupMatrixLoad<matrix, row_major>(pointer, offset, stride), takes arrays of any 32- or 16-bit
#            scalar or vector, array<vec4<u32>> too: 16 bytes a store. Offset and stride then count elements of that array: with a stride of two vec4<u32> (16 halves) the 16 rows
#            need 512 bytes, and the compiler refuses an array of 31 vec4s. The older form with a bool, which takes array<f16> only, compiles with a warning that it is deprecated.
# Output:    old form, array<f16>: deprecated, old form, array<vec4<u32>>: refused, new form, 32 vec4<u32>: ok, new form, 31 vec4<u32>: too small (496 bytes)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund webgpu@0.6.2
cat >arrays.mjs <<'JS'
import { create } from 'webgpu'
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis'])
const adapter = await gpu.requestAdapter()
const device = await adapter.requestDevice({
  requiredFeatures: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'],
})
const warn = console.warn
console.warn = console.error = () => {}
/** What the compiler says of a load. */
async function compile(array, load) {
  device.pushErrorScope('validation')
  const module = device.createShaderModule({
    code: `enable f16; enable subgroups; enable chromium_experimental_subgroup_matrix;
      var<workgroup> part: ${array};
      @compute @workgroup_size(32) fn main() { let a = ${load}; }`,
  })
  const { messages } = await module.getCompilationInfo()
  const error = await device.popErrorScope()
  if (!error) return messages.some(({ message }) => message.includes('deprecated')) ? 'deprecated' : 'ok'
  const small = /too small \(\d+ bytes\)/.exec(error.message)
  return small ? small[0] : 'refused'
}
const left = 'subgroup_matrix_left<f16, 16, 16>'
const seen = {
  'old form, array<f16>': await compile('array<f16, 256>', `subgroupMatrixLoad<${left}>(&part, 0u, false, 16u)`),
  'old form, array<vec4<u32>>': await compile('array<vec4<u32>, 32>', `subgroupMatrixLoad<${left}>(&part, 0u, false, 2u)`),
  'new form, 32 vec4<u32>': await compile('array<vec4<u32>, 32>', `subgroupMatrixLoad<${left}, row_major>(&part, 0u, 2u)`),
  'new form, 31 vec4<u32>': await compile('array<vec4<u32>, 31>', `subgroupMatrixLoad<${left}, row_major>(&part, 0u, 2u)`),
}
console.warn = warn
console.log(Object.entries(seen).map(([name, value]) => `${name}: ${value}`).join(', '))
process.exit(Object.values(seen).join() === 'deprecated,refused,ok,too small (496 bytes)' ? 0 : 1)
JS
node arrays.mjs
