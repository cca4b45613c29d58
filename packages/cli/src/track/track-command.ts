import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { BASE_MODEL } from '../load-model.js'
import { wholeNumber } from '../number-option.js'
import { createProgress } from '../progress.js'
import type { TrackOptions } from './track.js'

/** `facekit track` */
export function trackCommand(io: CliIo): Command {
  return new Command('track')
    .description('follow the face of a video: weights of 52 blend shapes, pose and gaze, picture by picture')
    .argument('<video>', 'a video file, for which ffmpeg must be installed, or a folder of its pictures')
    .option('-o, --out <folder>', 'folder for the results', 'track')
    .option('--fps <number>', 'pictures a second of a folder', wholeNumber(1, 1000), 25)
    .option('--model <name or file>', 'face model with dense landmarks and named expressions', BASE_MODEL)
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--force', 'replace results that exist', false)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Written are face.glb (the person, animated), track.json, track.csv and track.npz (weights of ARKit's blend shapes, pose,
gaze, landmarks), parameters.json, and the person at rest as face-neutral.obj and .ply. If interrupted, rerun the
command to go on. Pictures in which the face is hidden are marked; it is found again when it comes back.`,
    )
    .action(async (source: string, { json, ...options }: TrackOptions & { json?: boolean }) => {
      const { track } = await import('./track.js')
      const progress = await createProgress(io, json === true)
      const report = await track(source, options, progress, io.signal)
      if (json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
      else {
        const rate = report.rate === undefined ? '' : `, ${report.rate.toFixed(1)} a second`
        io.stdout.write(
          `${report.folder}: ${report.files.join(', ')}; ${report.frames} pictures${rate}, face lost in ${report.lost}\n`,
        )
      }
    })
}
