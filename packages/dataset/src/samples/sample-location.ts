import { readRegularFile } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import type { SampleFiles } from './encode-sample.js'
import type { Extent } from './list-tar.js'
import { LARGEST_FILE, readExtents } from './tar-shard.js'

/** Where a sample's files are. Plain data: goes to workers as it is. */
export type SampleLocation =
  /** Parts of one file. */
  | { shard: string; files: Record<string, Extent> }
  /** Files of their own. */
  | { paths: Record<string, string> }

/** Reads a sample's files as they are. Node only.
 *
 * @throws {DatasetError} when a file is missing or shorter than it should be
 */
export async function readSampleFiles(location: SampleLocation): Promise<SampleFiles> {
  return 'paths' in location ? readPaths(location.paths) : readExtents(location.shard, location.files)
}

async function readPaths(paths: Record<string, string>): Promise<SampleFiles> {
  const files: SampleFiles = new Map()
  for (const [ending, path] of Object.entries(paths)) {
    const bytes = await readRegularFile(path, LARGEST_FILE).catch((cause: NodeJS.ErrnoException) => {
      throw new DatasetError(`${path}: cannot be read (${cause.code}); label the picture again`, { cause })
    })
    files.set(ending, bytes)
  }
  return files
}
