import { FacekitError, ValueError, writeFileAtomic } from '@facekit/core'
import type { LearningPerson } from '@facekit/base-model'
import type { BackendName } from '@facekit/engine'
import { Command } from 'commander'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { autoBackends } from '../auto-backends.js'
import type { CliIo } from '../cli-io.js'
import { createProgress } from '../progress.js'

interface LearnFlags {
  out: string
  cache?: string
  stretch: number
  name: string
  license: string
  backend: string
  force: boolean
  json?: boolean
}

const PICTURE = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i

/** `facekit model learn`: a model from photographs, one folder a person. */
export function learnCommand(io: CliIo): Command {
  return new Command('learn')
    .description('learn a face model from photographs grouped by person; needs @vladmandic/human')
    .argument('<folder>', 'a folder with one folder of photographs for each person')
    .requiredOption('-o, --out <file>', 'the .safetensors file to write')
    .option(
      '--cache <folder>',
      'keeps what was seen, so that an interrupted run goes on; holds colours of faces',
    )
    .option('--stretch <factor>', 'trust in height against width, 0 to 1; 0.5 for videos', parseStretch, 1)
    .option('--name <name>', 'name of the model', 'learned')
    .option('--license <license>', 'licence of the model, which depends on the photographs', 'unknown')
    .option('--backend <name>', 'what computes: auto, tensorflow, webgpu, wasm, cpu', 'auto')
    .option('--force', 'replace the file if it exists', false)
    .option('--json', 'print one JSON document instead of text')
    .action((folder: string, flags: LearnFlags) => learnModel(io, folder, flags))
}

function parseStretch(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new ValueError(`--stretch: "${text}", expected a number from 0 to 1`)
  }
  return value
}

async function learnModel(io: CliIo, folder: string, flags: LearnFlags): Promise<void> {
  const started = performance.now()
  if (!/\.safetensors$/i.test(flags.out))
    throw new ValueError(`--out: "${flags.out}" is no .safetensors file`)
  if (!flags.force && (await stat(flags.out).catch(() => undefined))) {
    throw new FacekitError(`${flags.out}: exists already; --force replaces it`)
  }
  const people = await findPeople(folder)
  const { initEngine } = await import('@facekit/engine')
  await initEngine({ backend: flags.backend as BackendName | 'auto', candidates: autoBackends })
  const { learnFaceModel } = await import('@facekit/base-model')
  const { encodeMorphableModel } = await import('@facekit/morphable')
  const progress = await createProgress(io, flags.json === true)
  let stage = ''
  try {
    const { model, report } = await learnFaceModel(people, {
      ...(flags.cache !== undefined && { cache: flags.cache }),
      stretch: flags.stretch,
      name: flags.name,
      license: flags.license,
      signal: io.signal,
      onProgress: ({ stage: now, done, total }) => {
        if (now !== stage) progress.start(`${folder}: ${now}`)
        stage = now
        progress.update(done, total)
      },
    })
    const bytes = encodeMorphableModel(model, { precision: 'float16' })
    await writeFileAtomic(flags.out, bytes)
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    const result = { file: flags.out, bytes: bytes.length, layout: model.layout, seconds, ...report }
    io.stdout.write(
      flags.json
        ? `${JSON.stringify(result, null, 2)}\n`
        : `${flags.out}: learned from ${report.photographs} photographs of ${report.people} people (albedo: ${report.albedoPeople}) in ${seconds.toFixed(0)} s\n`,
    )
  } finally {
    progress.stop()
  }
}

/** Photographs in the folders of a folder; the name of a folder is a person's. */
async function findPeople(folder: string): Promise<LearningPerson[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ValueError(
      `${folder}: is no folder that can be read, expected one with a folder for each person`,
      { cause },
    )
  })
  const people: LearningPerson[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue
    const files = (await readdir(join(folder, entry.name))).filter((file) => PICTURE.test(file)).sort()
    if (files.length === 0) continue
    const photographs = await Promise.all(
      files.map(async (file) => {
        const path = join(folder, entry.name, file)
        const { size, mtimeMs } = await stat(path)
        return { key: `${file} ${size} ${Math.round(mtimeMs)}`, read: () => readFace(path) }
      }),
    )
    people.push({ name: entry.name, photographs })
  }
  if (people.length === 0) {
    throw new ValueError(`${folder}: has no folders with photographs; make one folder for each person in it`)
  }
  return people
}

/** The surest face of a photograph; nothing when there is none, or the file is no picture. */
async function readFace(path: string) {
  const { detectFaces, findLandmarks, readPicture } = await import('@facekit/annotate')
  const picture = await readPicture(path).catch(() => undefined)
  if (!picture) return undefined
  const [face] = await detectFaces(picture, { maxFaces: 1 })
  return face && { picture, landmarks: await findLandmarks(picture, face.box) }
}
