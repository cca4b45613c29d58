import { describe, expect, it } from 'vitest'
import { fuzz, fuzzTargets } from './fuzz.js'

// A sample; thousands of each are read by scripts/fuzz.
const targets = await fuzzTargets()

describe('damaged files', () => {
  it.each(Object.keys(targets))('throws: %s gives a typed error or a valid model', async (name) => {
    // Of HDF5 each takes a worker of its own.
    const isHdf5 = /^basel|^albedo/.test(name)
    const result = await fuzz(targets[name], isHdf5 ? 8 : name === 'ict' ? 10 : 80, 7)
    expect(result.failures).toEqual([])
    expect(result.errors + result.models).toBe(result.mutations)
  })

  it('throws: many damaged files in one thread leave the library able to read whole ones', async () => {
    const { albedo } = await fuzzTargets(false)
    const result = await fuzz(albedo, 300, 3)
    expect(result.failures).toEqual([])
    await expect(albedo.read(albedo.bytes.slice())).resolves.toBeUndefined()
  })
})
