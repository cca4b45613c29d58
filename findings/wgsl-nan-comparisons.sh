#!/usr/bin/env bash
# WGSL: which expressions see a NaN. Package webgpu 0.6.2 (Dawn, Vulkan, 2026), on SwiftShader 5.0.0 and on an NVIDIA H200 (driver 580.159.04).
#
# Guess:     `x != x` is true for NaN and is the usual test; max(NaN, 0) may be 0 or NaN, clamp(NaN, 0, 1) likewise.
# Behaviour: `x != x` is false (the comparison is compiled as "ordered and not equal"), while its logical negation `!(x == x)` is true;
#            max(NaN, 0) and clamp(NaN, 0, 1) are 0 and i32(NaN) is the least integer. Only the bits, or `!(x == x)`, tell a NaN.
#            A fused relu written as max(x, 0) therefore turns a diverged value into a plausible one.
# Output:    x != x: 0, !(x == x): 1, bits: 1, max: 0, clamp: 0, i32: -2147483648
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
cat >nan.mjs <<'JS'
import { create, globals } from 'webgpu'
Object.assign(globalThis, globals)
const gpu = create([])
const adapter = await gpu.requestAdapter()
if (!adapter) throw new Error('no Vulkan adapter: set VK_DRIVER_FILES')
const device = await adapter.requestDevice()
const code = `
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(1) fn main() {
    let v = x[0];
    y[0] = f32(v != v);
    y[1] = f32(!(v == v));
    y[2] = f32((bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u);
    y[3] = max(v, 0.0);
    y[4] = clamp(v, 0.0, 1.0);
    y[5] = f32(i32(v));
  }`
const module = device.createShaderModule({ code })
const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } })
const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
const input = device.createBuffer({ size: 4, usage: STORAGE | COPY_DST })
device.queue.writeBuffer(input, 0, Float32Array.of(NaN))
const output = device.createBuffer({ size: 24, usage: STORAGE | COPY_SRC })
const read = device.createBuffer({ size: 24, usage: MAP_READ | COPY_DST })
const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
const encoder = device.createCommandEncoder()
const pass = encoder.beginComputePass()
pass.setPipeline(pipeline)
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
pass.dispatchWorkgroups(1)
pass.end()
encoder.copyBufferToBuffer(output, 0, read, 0, 24)
device.queue.submit([encoder.finish()])
await read.mapAsync(GPUMapMode.READ)
const names = ['x != x', '!(x == x)', 'bits', 'max', 'clamp', 'i32']
const values = [...new Float32Array(read.getMappedRange())]
const line = names.map((name, i) => `${name}: ${values[i]}`).join(', ')
console.log(`${adapter.info.description || adapter.info.vendor}\n${line}`)
process.exit(line === 'x != x: 0, !(x == x): 1, bits: 1, max: 0, clamp: 0, i32: -2147483648' ? 0 : 1)
JS
node nan.mjs
