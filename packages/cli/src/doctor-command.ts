import { Command } from 'commander'
import type { CliIo } from './cli-io.js'
import type { BackendReport } from '@facekit/engine'
import type { DoctorReport } from './doctor.js'

/** `facekit doctor` */
export function doctorCommand(io: CliIo, setCode: (code: number) => void): Command {
  return new Command('doctor')
    .description('look at what works here, and how to get more')
    .option('--json', 'print one JSON document instead of text')
    .option('--no-speed', 'do not measure the backends (about two seconds each)')
    .action(async ({ json, speed }: { json?: boolean; speed: boolean }) => {
      const { doctor } = await import('./doctor.js')
      const report = await doctor({ measure: speed })
      io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : describe(report))
      setCode(report.ok ? 0 : 1)
    })
}

const INDENT = ' '.repeat(19)

function describe({ version, ok, backend, backends, checks, weights }: DoctorReport): string {
  const line = (good: boolean, name: string, found: string, remedy?: string) =>
    `  ${good ? 'yes' : 'no '}  ${name.padEnd(11)} ${found}${remedy ? `\n${INDENT}${remedy}` : ''}`
  return `${[
    `facekit ${version}`,
    ...checks.map((check) => line(check.ok, check.name, check.found, check.remedy)),
    '',
    'backends, the fastest first',
    ...backends.map((report) => {
      const used = report.backend === backend ? ' (this one is used)' : ''
      const found = [`${report.reason}${used}`, ...details(report)].join(`\n${INDENT}`)
      return line(report.available, report.backend, found, report.remedy && `to get it: ${report.remedy}`)
    }),
    '',
    'what the weights learned from: rendered faces alone, photographs published for research, or what others used who publish them',
    ...weights.map(
      ({ use, learnedFrom, license }) => `  ${use.padEnd(25)} ${learnedFrom.padEnd(21)} ${license}`,
    ),
    '',
    ok ? 'Faces can be reconstructed here.' : 'Something is missing: see above.',
  ].join('\n')}\n`
}

/** Adapter, memory and speed of a backend, a line each. */
function details({ adapter, memory, speed, precision, precisionReason }: BackendReport): string[] {
  const lines: string[] = []
  if (adapter) {
    const names = [adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean)
    lines.push(
      `adapter: ${names.join(', ')}${adapter.software ? ' (software: used only when asked for)' : ''}`,
    )
  }
  if (precision) {
    const there = precision === 'mixed' ? 'yes' : 'no, float32 instead'
    lines.push(`mixed precision: ${there} (${precisionReason})`)
  }
  if (memory) lines.push(`memory: ${(memory.bytes / 2 ** 30).toFixed(1)} GiB, the limit of ${memory.of}`)
  if (speed) {
    const [product, convolution, sum] = [speed.matMul, speed.conv2d, speed.add].map((value) =>
      value.toPrecision(3),
    )
    lines.push(`speed: matMul ${product} GFLOP/s, conv2d ${convolution} GFLOP/s, add ${sum} GB/s`)
  }
  return lines
}
