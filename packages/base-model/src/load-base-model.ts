import { ModelFormatError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { readBaseModel } from './read-base-model.js'

let loaded: Promise<MorphableModel> | undefined

export async function loadBaseModel(
  options: { source?: string | URL | Uint8Array } = {},
): Promise<MorphableModel> {
  if (options.source !== undefined) return readBaseModel(await readBytes(options.source))
  // Bundlers know this form: they copy the file and put its new address here.
  loaded ??= readBytes(new URL('../data/base-model.safetensors', import.meta.url)).then(readBaseModel)
  return loaded
}

async function readBytes(source: string | URL | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  const url = String(source)
  if (url.startsWith('file:')) {
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
    return readFile(new URL(url))
  }
  const response = await fetch(url)
  if (!response.ok)
    throw new ModelFormatError(
      `loadBaseModel: ${url} answered ${response.status}; serve the file or pass { source }`,
    )
  return new Uint8Array(await response.arrayBuffer())
}
