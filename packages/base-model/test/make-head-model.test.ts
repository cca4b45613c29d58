import { existsSync, readFileSync } from 'node:fs'
import { loadBaseModel } from '@facekit/base-model'
import { expect, it } from 'vitest'
import { buildHeadModel } from '../scripts/head/build-head-model.js'
import { readIctModel } from '../scripts/scans/ict-model.js'

const data = new URL('../../../../shared/data/ict-facekit/ict-facekit.safetensors', import.meta.url)

it.skipIf(!existsSync(data))(
  'value: the script makes the whole head again, byte for byte',
  async () => {
    const [face, head, mouth] = (['face', 'head', 'mouth'] as const).map((part) => readIctModel(data, part))
    const made = await buildHeadModel(await loadBaseModel(), face, head, mouth)
    const stored = readFileSync(new URL('../data/head.safetensors', import.meta.url))
    expect(made.length).toBe(stored.length)
    expect(Buffer.compare(Buffer.from(made), stored)).toBe(0)
  },
  180_000,
)
