import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { DatasetBuildFlags } from './dataset-build.js'
import { wholeNumber } from '../number-option.js'

/** `facekit dataset`: data sets for training. */
export function datasetCommand(io: CliIo): Command {
  return new Command('dataset')
    .description('make data sets for training')
    .helpCommand(false)
    .addCommand(buildCommand(io))
}

function buildCommand(io: CliIo): Command {
  return new Command('build')
    .description('render faces with known parameters, as tar shards (WebDataset)')
    .argument('<folder>', 'folder for the shards')
    .requiredOption('--synthetic', 'render faces ("facekit annotate" labels photographs)')
    .option('--config <file>', 'JSON: what is drawn, and how often; see the page on synthetic data')
    .option('--count <number>', 'pictures (default 1000)', wholeNumber(1, 100_000_000))
    .option('--size <pixels>', 'width and height, a multiple of 8 (default 224)', wholeNumber(32, 1024))
    .option('--seed <number>', 'which random faces (default 0)', wholeNumber(0, 2 ** 32 - 1))
    .option('--per-shard <number>', 'pictures in a shard (default 256)', wholeNumber(1, 100_000))
    .option('--quality <number>', 'of the JPEG files (default 92)', wholeNumber(1, 100))
    .option('--model <name or file>', 'face model: "base", or a file (default base)')
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--force', 'throw away the shards that are there, and begin anew', false)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Run again after an interruption, it goes on with the first shard that is missing. The same seed, configuration and backend give the
same bytes. <folder>/dataset.json holds everything that was asked for; flags win over the configuration.`,
    )
    .action(async (folder: string, flags: DatasetBuildFlags) => {
      const { buildDataset, buildLines } = await import('./dataset-build.js')
      const report = await buildDataset(folder, flags, io)
      io.stdout.write(
        flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${buildLines(report).join('\n')}\n`,
      )
    })
}
