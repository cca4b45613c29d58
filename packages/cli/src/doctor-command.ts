import { Command } from 'commander'
import type { CliIo } from './cli-io.js'
import type { DoctorReport } from './doctor.js'

/** `facekit doctor` */
export function doctorCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('doctor')
    .description('look at what works here, and how to get more')
    .option('--json', 'print one JSON document instead of text')
    .action(async ({ json }: { json?: boolean }) => {
      const { doctor } = await import('./doctor.js')
      const report = await doctor()
      io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : describe(report))
      setCode(report.ok ? 0 : 1)
    })
}

function describe({ version, ok, backend, backends, checks }: DoctorReport): string {
  const line = (good: boolean, name: string, found: string, remedy?: string) =>
    `  ${good ? 'yes' : 'no '}  ${name.padEnd(11)} ${found}${remedy ? `\n                   ${remedy}` : ''}`
  return `${[
    `facekit ${version}`,
    ...checks.map((check) => line(check.ok, check.name, check.found, check.remedy)),
    '',
    'backends, the fastest first',
    ...backends.map((report) =>
      line(
        report.available,
        report.backend,
        `${report.reason}${report.backend === backend ? ' (this one is used)' : ''}`,
        report.remedy,
      ),
    ),
    '',
    ok ? 'Faces can be reconstructed here.' : 'Something is missing: see above.',
  ].join('\n')}\n`
}
