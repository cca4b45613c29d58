#!/usr/bin/env bash
# Matrix units through WebGPU: how f16 x f16 products are added in f32. Package webgpu 0.6.2 (Dawn, 2026), NVIDIA H200, driver 580.159.04.
#
# Guess:     "f32 accumulation" rounds to nearest, as a chain of fused multiply-adds does: 1 + 0.75 ulp is the next float above 1, and
#            2^30 - 2^30 + 2^-10 is 2^-10, since a sum of exact products that is rounded once would be.
# Behaviour: sums are cut off toward zero: 1 + 0.75 ulp is 1, -1 - 0.75 ulp is -1, 1 - 0.75 ulp is 1 - 1 ulp. The 16 products of one instruction are aligned
#            to the largest and added before that (16 x 0.75 ulp beside 1 give 12 ulp), so what lies below the last bit of the largest is lost even
#            when the largest ones cancel. Each step of a long sum loses up to an ulp in one direction: the error grows with the number of steps, not
#            with its square root. Sums over batches and pictures want several accumulators, or their total in ordinary f32.
# Output:    1 + 0.75 ulp: 0, -1 - 0.75 ulp: 0, 1 - 0.75 ulp: -1, 1 + 16 x 0.75 ulp: 12, 2^30 - 2^30 + 2^-10: 0
#
# Needs an NVIDIA GPU with its Vulkan driver.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund webgpu@0.6.2
cat >rounding.mjs <<'JS'
import { create, globals } from 'webgpu'
Object.assign(globalThis, globals)
const gpu = create(['enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia'])
const adapter = await gpu.requestAdapter()
if (!adapter?.features.has('chromium-experimental-subgroup-matrix')) throw new Error('no adapter with f16 matrices')
const device = await adapter.requestDevice({
  requiredFeatures: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'],
})
const code = `enable f16; enable subgroups; enable chromium_experimental_subgroup_matrix;
  @group(0) @binding(0) var<storage, read> A: array<f16>;
  @group(0) @binding(1) var<storage, read> B: array<f16>;
  @group(0) @binding(2) var<storage, read> C: array<f32>;
  @group(0) @binding(3) var<storage, read_write> D: array<f32>;
  var<workgroup> sA: array<f16, 256>;
  var<workgroup> sB: array<f16, 256>;
  @compute @workgroup_size(32) fn main(@builtin(local_invocation_index) t: u32) {
    for (var i = t; i < 256u; i += 32u) { sA[i] = A[i]; sB[i] = B[i]; }
    workgroupBarrier();
    let a = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>>(&sA, 0u, false, 16u);
    let b = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>>(&sB, 0u, false, 16u);
    var c = subgroupMatrixLoad<subgroup_matrix_result<f32, 16, 16>>(&C, 0u, false, 16u);
    c = subgroupMatrixMultiplyAccumulate(a, b, c);
    subgroupMatrixStore(&D, 0u, c, false, 16u);
  }`
const pipeline = await device.createComputePipelineAsync({
  layout: 'auto',
  compute: { module: device.createShaderModule({ code }) },
})
const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
function upload(values, usage = STORAGE) {
  const buffer = device.createBuffer({ size: values.byteLength, usage: usage | COPY_DST })
  device.queue.writeBuffer(buffer, 0, values)
  return buffer
}
/** The bits of a normal half that holds the value exactly. */
function half(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]
  const exponent = ((bits >> 23) & 255) - 112
  return value === 0 ? 0 : ((bits >> 16) & 0x8000) | (exponent << 10) | ((bits >> 13) & 0x3ff)
}
/** c + the sum over k of a[k] b[k], by one instruction: element (0, 0) of the product. */
async function sum(a, b, c) {
  const [A, B, C] = [new Uint16Array(256), new Uint16Array(256), new Float32Array(256)]
  a.forEach((value, k) => (A[k] = half(value)))
  b.forEach((value, k) => (B[16 * k] = half(value)))
  C[0] = c
  const buffers = [upload(A), upload(B), upload(C), upload(C, STORAGE | COPY_SRC)]
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
  const read = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST })
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(1)
  pass.end()
  encoder.copyBufferToBuffer(buffers[3], 0, read, 0, 4)
  device.queue.submit([encoder.finish()])
  await read.mapAsync(GPUMapMode.READ)
  return new Float32Array(read.getMappedRange())[0]
}
const ulp = 2 ** -23
const [x, y] = [0.75 * 2 ** -11, 2 ** -12] // their product is 0.75 ulp of 1
const sixteen = (value) => Array(16).fill(value)
const seen = {
  '1 + 0.75 ulp': ((await sum([x], [y], 1)) - 1) / ulp,
  '-1 - 0.75 ulp': ((await sum([-x], [y], -1)) + 1) / ulp,
  '1 - 0.75 ulp': ((await sum([-x], [y], 1)) - 1) / ulp,
  '1 + 16 x 0.75 ulp': ((await sum(sixteen(x), sixteen(y), 1)) - 1) / ulp,
  '2^30 - 2^30 + 2^-10': await sum([2 ** 15, -(2 ** 15), 2 ** -5], [2 ** 15, 2 ** 15, 2 ** -5], 0),
}
console.log(`${adapter.info.description}\n${Object.entries(seen).map(([name, value]) => `${name}: ${value}`).join(', ')}`)
process.exit(Object.values(seen).join() === '0,0,-1,12,0' ? 0 : 1)
JS
node rounding.mjs
