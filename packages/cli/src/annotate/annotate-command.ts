import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { AnnotateFlags } from './annotate-folder.js'
import type { CliIo } from '../cli-io.js'
import { wholeNumber } from '../number-option.js'

/** `facekit annotate` */
export function annotateCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('annotate')
    .description('label every face in a folder of photographs: landmarks, masks, skin, identity')
    .addArgument(
      new Argument('<file or folder>', 'photographs, in folders by person if the people are known'),
    )
    .option('-o, --out <folder>', 'folder for the labels (default: "annotations", or beside the photographs)')
    .addOption(
      new Option('--layout <name>', 'tar shards (WebDataset), or files beside the photographs')
        .choices(['shards', 'beside'])
        .default('shards'),
    )
    .option('--list <file>', 'only the photographs named in it, paths below the folder, one a line')
    .option('--workers <number>', 'processes (default: one for each core)', wholeNumber(1, 1024))
    .option(
      '--rank <number>',
      "this machine's share, from 0 (default: as mpiexec or srun says)",
      wholeNumber(0, 100_000),
    )
    .option('--ranks <number>', 'how many machines share the work', wholeNumber(1, 100_000))
    .addOption(new Option('--detector <name>', 'what finds faces').choices(['accurate', 'fast']))
    .addOption(
      new Option('--segmenter <name>', 'what finds the pixels of a face').choices(['network', 'landmarks']),
    )
    .option('--size <pixels>', 'width and height of the crops', wholeNumber(32, 4096), 224)
    .option('--min-score <number>', 'least score of a face, 0 to 1', fraction, 0.5)
    .option(
      '--max-faces <number>',
      'only so many faces of each photograph, the largest',
      wholeNumber(1, 10_000),
    )
    .option('--per-shard <number>', 'photographs in a shard', wholeNumber(1, 100_000), 256)
    .option('--quality <number>', 'of the JPEG crops', wholeNumber(1, 100), 85)
    .addOption(
      new Option(
        '--backend <name>',
        'what computes; webgpu and tensorflow in one process, if --workers does not say otherwise',
      )
        .choices(['wasm', 'webgpu', 'tensorflow', 'cpu'])
        .default('wasm'),
    )
    .option('--no-sheet', 'without the page to look at the labels')
    .option('--force', 'throw away the labels that are there, and begin anew', false)
    .option('--json', 'print a JSON document a line, for each photograph and at the end')
    .addHelpText(
      'after',
      `
Run again after an interruption, it goes on where it was. Photographs without a face, and such that cannot be read, are
listed in <out>/report.json; the exit code is 1 when there are any of the latter. <out>/label-sheet/index.html shows the labels.`,
    )
    .action(async (source: string, flags: AnnotateFlags) => {
      const { annotateFolder } = await import('./annotate-folder.js')
      setCode(await annotateFolder(source, flags, io))
    })
}

function fraction(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('expected a number from 0 to 1')
  }
  return value
}
