import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What the compiler says of programs in the folder of this package, one message each. */
function compile(sources: Record<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noUnusedLocals: false },
    root,
  )
  const files = new Map(Object.entries(sources).map(([name, text]) => [join(root, name), text]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) =>
    files.has(path)
      ? ts.createSourceFile(path, files.get(path)!, language)
      : getSourceFile(path, language, ...rest)
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(
      ({ messageText }) => `${path.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const snippet = /```ts\n(.*?)```/s.exec(readme)![1]

const own = (body: string) => `
  import { disposeParameters, neutralParameters, packParameters, type FaceParametersInput } from '@facekit/parameters'
  import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
  import { fitFace } from '@facekit/fit'
  import { regularizationLoss } from '@facekit/losses'
  import * as tf from '@tensorflow/tfjs-core'
  declare const model: MorphableModel
  const face = neutralParameters(model.layout)
  ${body}
`

const accepted = own(`
  tf.grad((identity: tf.Tensor) => tf.sum(packParameters({ ...face, identity })))
  tf.grad((sphericalHarmonics: tf.Tensor) => {
    const light = { ...face, illumination: { ...face.illumination, sphericalHarmonics } }
    return tf.mean(packParameters(light))
  })
  tf.grad((identity: tf.Tensor) => tf.mean(evaluateShape(model, { ...face, identity })))
  tf.grad((x: tf.Tensor) => tf.mean(evaluateAlbedo(model, x).diffuse))
  tf.grad((albedo: tf.Tensor) => regularizationLoss({ ...face, albedo }))
  declare const moved: FaceParametersInput
  disposeParameters(moved)
  const fit = (...[image, annotation]: Parameters<typeof fitFace>) =>
    fitFace(image, annotation, model, { start: moved })
  const rank: 2 = face.identity.shape.length
`)

const refused = own(`
  packParameters({ ...face, identity: [0, 1] })
  packParameters({ ...face, pose: { rotation: face.pose.rotation } })
  evaluateShape(model, { identity: face.identity })
`)

describe('types of parameters', () => {
  let messages: string[]
  beforeAll(() => {
    // One program: most of the time is that of reading tfjs and the packages.
    messages = compile({ 'snippet.ts': snippet, 'accepted.ts': accepted, 'refused.ts': refused })
  })
  const of = (file: string) => messages.filter((message) => message.startsWith(`${file}: `))

  it("smoke: the README's snippet needs no cast", () => {
    expect(snippet).toContain('tf.grad(')
    expect(snippet).not.toMatch(/ as (?!tf\b)/)
    expect(of('snippet.ts')).toEqual([])
  })

  it('smoke: functions of parameters take what tf.grad hands over', () => {
    expect(of('accepted.ts')).toEqual([])
  })

  it('throws: the compiler refuses what is no tensor, and parts that are missing', () => {
    const found = of('refused.ts')
    expect(found).toHaveLength(3)
    expect(found[0]).toMatch(/'number\[\]' is missing .* 'Tensor<Rank>'/)
    expect(found[1]).toMatch(/missing the following properties.*translation, scale/)
    expect(found[2]).toContain("'expression' is missing")
  })
})
