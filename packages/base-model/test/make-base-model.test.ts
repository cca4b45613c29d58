import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { buildBaseModel } from '../scripts/build-base-model.js'

it('value: the script makes the file again, byte for byte', () => {
  const stored = readFileSync(new URL('../data/base-model.safetensors', import.meta.url))
  const made = buildBaseModel()
  expect(made.length).toBe(stored.length)
  expect(Buffer.compare(Buffer.from(made), stored)).toBe(0)
})
