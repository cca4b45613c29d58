export { runCli } from './run.js'
export type { CliIo, CliStream } from './cli-io.js'
