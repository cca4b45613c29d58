import { afterAll, describe, expect, it, vi } from 'vitest'
import { initEngine, inspectBackends } from '@facekit/engine'

const given = vi.hoisted((): { flags?: string[] } => ({}))

// A stand-in for Dawn, without a GPU, that says what it was started with.
vi.mock('webgpu', () => ({
  create: (flags: string[]) => {
    given.flags = flags
    return { requestAdapter: async () => null }
  },
  globals: {},
}))

describe('dawnFlags', () => {
  afterAll(() => initEngine({ backend: 'cpu' }))

  it("value: features add to ours of the same name, since Dawn obeys a name's last flag only", async () => {
    const dawnFlags = [
      'disable-dawn-features=robustness,timestamp_quantization',
      'enable-dawn-features=allow_unsafe_apis',
      'backend=vulkan',
      'backend=null',
      'enable-dawn-features=dump_shaders',
    ]
    await expect(initEngine({ backend: 'webgpu', dawnFlags })).rejects.toThrow(/finds no GPU/)
    expect(given.flags).toEqual([
      'disable-dawn-features=timestamp_quantization,robustness',
      'enable-dawn-features=allow_unsafe_apis,dump_shaders',
      'backend=null',
    ])
    expect((await inspectBackends()).find(({ backend }) => backend === 'webgpu')!.available).toBe(false)
  })
})
