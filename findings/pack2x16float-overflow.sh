#!/usr/bin/env bash
# WGSL: what pack2x16float makes of numbers that are too large for a half. Package webgpu 0.6.2 (Dawn, Vulkan, 2026), on SwiftShader 5.0.0.
#
# Guess:     as a conversion of IEEE 754: from 65520 on infinity, 7c00, with the sign kept, and infinity stays infinity; WGSL leaves the value open, but hardware converts.
# Behaviour: a NaN, whose bits are those of the number's fraction, and a NaN of infinity itself. On an NVIDIA H200 (driver 580.159.04) both are infinity. Whoever
#            watches for overflow, as dynamic loss scaling does, must ask for "not finite", not for infinity; sums, comparisons and maxima over such
#            numbers differ between a GPU and the tests in software.
# Output:    65504: 7bff 65504, 65519: 7bff 65504, 1e5: 7e1a NaN, -1e5: fe1a NaN, infinity: 7fff NaN, 2^-24: 1 5.960464477539063e-8
#
# Needs a Vulkan driver: VK_DRIVER_FILES, the system's, or SwiftShader of Debian's package chromium.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund webgpu@0.6.2
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -r "$swiftshader" ]; then export VK_DRIVER_FILES=$swiftshader; fi
cat >pack.mjs <<'JS'
import { create, globals } from 'webgpu'
Object.assign(globalThis, globals)
const gpu = create([])
const adapter = await gpu.requestAdapter()
if (!adapter) throw new Error('no Vulkan adapter: set VK_DRIVER_FILES')
const device = await adapter.requestDevice()
const values = [65504, 65519, 1e5, -1e5, Infinity, 2 ** -24]
const code = `
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(1) fn main() {
    for (var i = 0u; i < ${values.length}u; i++) {
      let bits = pack2x16float(vec2<f32>(x[i], 0.0));
      y[i] = unpack2x16float(bits).x;
      y[i + ${values.length}u] = f32(bits & 0xffffu);
    }
  }`
const module = device.createShaderModule({ code })
const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } })
const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
const size = 4 * values.length
const input = device.createBuffer({ size, usage: STORAGE | COPY_DST })
device.queue.writeBuffer(input, 0, Float32Array.from(values))
const output = device.createBuffer({ size: 2 * size, usage: STORAGE | COPY_SRC })
const read = device.createBuffer({ size: 2 * size, usage: MAP_READ | COPY_DST })
const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
const encoder = device.createCommandEncoder()
const pass = encoder.beginComputePass()
pass.setPipeline(pipeline)
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
pass.dispatchWorkgroups(1)
pass.end()
encoder.copyBufferToBuffer(output, 0, read, 0, 2 * size)
device.queue.submit([encoder.finish()])
await read.mapAsync(GPUMapMode.READ)
const names = ['65504', '65519', '1e5', '-1e5', 'infinity', '2^-24']
const seen = [...new Float32Array(read.getMappedRange())]
const line = names.map((name, i) => `${name}: ${seen[i + values.length].toString(16)} ${seen[i]}`).join(', ')
console.log(`${adapter.info.description || adapter.info.vendor}\n${line}`)
process.exit(line === '65504: 7bff 65504, 65519: 7bff 65504, 1e5: 7e1a NaN, -1e5: fe1a NaN, infinity: 7fff NaN, 2^-24: 1 5.960464477539063e-8' ? 0 : 1)
JS
node pack.mjs
