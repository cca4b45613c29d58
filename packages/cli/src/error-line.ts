import { FacekitError } from '@facekit/core'

/** What went wrong, in one line.
 *
 * @param subject - what was being worked on; begins the line unless the message names it already
 */
export function errorLine(error: unknown, subject?: string): string {
  const message = describe(error).replace(/\s+/g, ' ').trim()
  return subject && !message.includes(subject) ? `${subject}: ${message}` : message
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOENT: 'no such folder',
  EEXIST: 'a file of that name exists',
  ENAMETOOLONG: 'the name is too long',
}

/** Why a file cannot be written or read, in words. */
export function fileSystemReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return (code && REASONS[code]) || (error instanceof Error ? error.message : String(error))
}

function describe(error: unknown): string {
  if (error instanceof FacekitError) return error.message
  if (error instanceof RangeError && /alloc|array length|memory/i.test(error.message)) {
    return `out of memory (${error.message})`
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code && path && REASONS[code]) return `${path}: ${REASONS[code]}`
  return error instanceof Error ? error.message || error.name : String(error)
}
