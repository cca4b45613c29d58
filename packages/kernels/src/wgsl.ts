/** WGSL: the entry point of a program in which each invocation has a number of its own.
 *
 * @param body - statements; `index: u32` is the number, which may be too large: see `workgroupsFor`
 * @param size - of a workgroup
 */
export const wgslMain = (body: string, size = 64): string => /* wgsl */ `
  @compute @workgroup_size(${size})
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32) {
    let index = (group.y * groups.x + group.x) * ${size}u + local;
    ${body}
  }`

/** WGSL: `groupSum(local, values)` adds up what the invocations of a workgroup have, in the same order each time.
 *
 * All invocations call it, once; the first gets the sums.
 * @param width - number of `vec4<f32>` in `values`; `16 * width * size` bytes of workgroup memory are used
 * @param size - of a workgroup, a power of two
 */
export const wgslGroupSum = (width: number, size = 64): string => /* wgsl */ `
  alias Sums = array<vec4<f32>, ${width}>;
  var<workgroup> groupSums: array<Sums, ${size}>;
  fn groupSum(local: u32, values: Sums) -> Sums {
    groupSums[local] = values;
    for (var half = ${size / 2}u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (local < half) {
        for (var i = 0u; i < ${width}u; i++) { groupSums[local][i] += groupSums[local + half][i]; }
      }
    }
    return groupSums[0];
  }`
