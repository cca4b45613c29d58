/** Where a command writes, and the signal that stops it. */
export interface CliIo {
  /** Results. */
  stdout: CliStream
  /** Progress and errors. */
  stderr: CliStream
  env: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** A stream that takes text. */
export interface CliStream {
  write(text: string): unknown
  /** True for a terminal. */
  isTTY?: boolean
  columns?: number
}
