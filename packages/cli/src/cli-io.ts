/** Where a command writes to, and how it learns that it should stop. */
export interface CliIo {
  /** Results. */
  stdout: CliStream
  /** Progress and errors. */
  stderr: CliStream
  env: Readonly<Record<string, string | undefined>>
  /** Is aborted by Ctrl-C. */
  signal: AbortSignal
}

/** A stream that takes text. */
export interface CliStream {
  write(text: string): unknown
  /** True when people look at it. */
  isTTY?: boolean
  columns?: number
}
