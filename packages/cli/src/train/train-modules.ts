import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { showValue, ValueError } from '@facekit/core'
import type { LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import type { Backbone } from '@facekit/regressor'
import type { BatchSource, PhotoBatch } from '@facekit/trainer'

/** What a module of losses, whose default export is a function, is called with. */
export interface LossModuleContext {
  model: MorphableModel
}

/** What a module of photographs is called with. */
export interface DatasetModuleContext {
  model: MorphableModel
  /** Pictures in a batch, and their width and height. */
  batch: number
  size: number
  seed: number
  /** Place of this process, and how many there are: each gives out its share of each batch. */
  rank: number
  ranks: number
}

/** Batches of photographs of one's own; `heldOut`, where it is there, are looked at now and then. */
export type ModuleBatches = BatchSource<PhotoBatch> & { heldOut?: PhotoBatch[] }

/** Whether a setting is the path of a module, and not a name or a folder: `./`, `../` or `/` before, and the ending of a program behind. */
export const isModulePath = (text: string): boolean => /\.[cm]?[jt]s$/i.test(text)

/** The losses that modules bring along: a default export that is a term (name, weight, compute), a list of terms, or a function of the model that makes them.
 *
 * @throws {ValueError} when a module cannot be loaded, or what it gives is no term
 */
export async function loadLossModules(
  paths: readonly string[],
  context: LossModuleContext,
): Promise<LossTerm[]> {
  const terms: LossTerm[] = []
  for (const path of paths) {
    const found = await made('--loss', path, context)
    for (const term of Array.isArray(found) ? (found as unknown[]) : [found]) {
      const { name, weight, compute } = (term ?? {}) as Partial<LossTerm>
      if (
        typeof name !== 'string' ||
        !['number', 'function'].includes(typeof weight) ||
        typeof compute !== 'function'
      )
        throw new ValueError(
          `--loss: ${path} gives ${showValue(term)}, expected an object with name, weight and compute, see LossTerm of @facekit/losses`,
        )
      terms.push(term as LossTerm)
    }
  }
  return terms
}

/** A backbone of one's own: a default export that is one (name, build), or a function that makes it.
 *
 * @throws {ValueError} when the module cannot be loaded, or gives something else
 */
export async function loadBackboneModule(path: string): Promise<Backbone> {
  const found = (await made('--backbone', path, undefined)) as Partial<Backbone> | null | undefined
  if (typeof found?.name !== 'string' || typeof found.build !== 'function')
    throw new ValueError(
      `--backbone: ${path} gives ${showValue(found)}, expected an object with name and build, see Backbone of @facekit/regressor`,
    )
  return found as Backbone
}

/** Batches of photographs of one's own: a default export that is a function which makes them.
 *
 * @throws {ValueError} when the module cannot be loaded, or gives something else
 */
export async function loadDatasetModule(path: string, context: DatasetModuleContext): Promise<ModuleBatches> {
  const found = (await made('--dataset', path, context)) as Partial<ModuleBatches> | null | undefined
  const members = [found?.next, found?.state, found?.restore]
  if (!members.every((member) => typeof member === 'function'))
    throw new ValueError(
      `--dataset: ${path} gives ${showValue(found)}, expected an object with next, state and restore, see BatchSource of @facekit/trainer`,
    )
  return found as ModuleBatches
}

/** The default export of a module, or what it returns where it is a function. */
async function made(flag: string, path: string, context: unknown): Promise<unknown> {
  let module: { default?: unknown }
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(resolve(path)).href)) as typeof module
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why =
      code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? 'this version of Node reads no TypeScript; use Node 22.18 or later, node --import tsx, or a .js file'
        : message
    throw new ValueError(`${flag}: ${path} cannot be loaded: ${why.split('\n')[0]}`, { cause })
  }
  if (module.default === undefined) throw new ValueError(`${flag}: ${path} has no default export`)
  if (typeof module.default !== 'function') return module.default
  try {
    return await (module.default as (context: unknown) => unknown)(context)
  } catch (cause) {
    throw new ValueError(`${flag}: ${path} fails: ${(cause as Error).message}`, { cause })
  }
}
