import { DatasetError } from '../dataset-error.js'

/** The error for a shard that is not what it should be. */
export function damaged(path: string, reason: string, cause?: unknown): DatasetError {
  return new DatasetError(
    `${path}: is truncated, damaged or no tar shard (${reason.replace(/\s+/g, ' ')}); make it or copy it again`,
    { cause },
  )
}
