import { isComplete, scoreTables } from '@facekit/evaluation'
import { Command } from 'commander'
import { join } from 'node:path'
import type { CliIo } from '../cli-io.js'
import { wholeNumber } from '../number-option.js'
import { createProgress } from '../progress.js'

/** `facekit ablate` */
export function ablateCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('ablate')
    .description('train with each loss left out, and make the table of what it is worth')
    .argument('<settings.json>', 'train, ablate and evaluate: see below')
    .option('-o, --out <folder>', 'folder for trainings, scores and tables', 'ablation')
    .option('--workers <number>', 'processes that score', wholeNumber(1, 1024), 1)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
{
  "train": { "dataset": "photographs", "weights": "start.safetensors", "iterations": 20000, ... },   as for facekit train
  "ablate": ["identity", "photometric", "landmark", "innerMouth", "regularization", "uniform"],      the default
  "evaluate": [{ "path": "CelebA", "dataset": "celeba" }, { "path": "FaceScape", "dataset": "facescape" }]
}

All trainings begin alike and see the same photographs in the same order. If interrupted, rerun the command to resume.`,
    )
    .action(async (settings: string, flags: { out: string; workers: number; json?: boolean }) => {
      const [{ readAblateConfig }, { ablate, ablationMarkdown }] = await Promise.all([
        import('./ablate-config.js'),
        import('./ablate.js'),
      ])
      const config = await readAblateConfig(settings)
      const progress = await createProgress(io, flags.json === true)
      try {
        const report = await ablate(config, flags.out, flags.workers, io, {
          onStart: (what) => progress.start(what),
          onTraining: ({ iteration, iterations }) => progress.update(iteration, iterations),
          onScored: (done, total) => progress.update(done, total),
        })
        progress.stop()
        const tables = report.evaluations.map((each) => scoreTables(each))
        io.stdout.write(
          flags.json
            ? `${JSON.stringify({ ...report, tables }, null, 2)}\n`
            : `${ablationMarkdown(report)}\n${join(flags.out, 'ablation.md')}\n`,
        )
        // A training that diverges is a result; a face that was not scored is missing.
        setCode(report.evaluations.every(isComplete) ? 0 : 1)
      } finally {
        progress.stop()
      }
    })
}
