/** A format: small whole files of it, and how they are read. */
export interface FuzzTarget {
  /** Whole files, from which mutations are made. */
  files: readonly Uint8Array[]
  /** Reads a file. Whatever it gives, it gives whole: what comes out and is not valid is thrown as a plain Error. */
  read(bytes: Uint8Array): Promise<unknown> | unknown
  /** Reads a file over which `read` did not end, in a thread that is ended after some time: as users do. Absent where there is no such thread. */
  isolated?(bytes: Uint8Array): Promise<unknown> | unknown
  /** Puts right what only says that a file is undamaged (a checksum), so that mutations get behind it. */
  repair?(bytes: Uint8Array): Uint8Array
}

/** Targets by name. */
export type FuzzTargets = Record<string, FuzzTarget>
