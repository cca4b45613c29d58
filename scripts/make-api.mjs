// The public API: every exported name of every package with its signature, as docs/api.json has it.
//   node scripts/make-api.mjs            writes docs/api.json
//   node scripts/make-api.mjs --print    prints it instead
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { root } from './run-step.mjs'

/** `{ package: { name: signature } }`, sorted; interfaces and classes give one signature for each member. */
export async function makeApi() {
  const indexes = new Map()
  for (const name of (await readdir(join(root, 'packages'))).sort()) {
    const manifest = JSON.parse(
      await readFile(join(root, 'packages', name, 'package.json'), 'utf8').catch(() => 'null'),
    )
    if (manifest && !manifest.private) indexes.set(name, join(root, 'packages', name, 'src/index.ts'))
  }
  const base = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent({ ...base, files: [] }, ts.sys, root)
  const program = ts.createProgram([...indexes.values()], options)
  const checker = program.getTypeChecker()
  const api = {}
  for (const [name, path] of indexes) {
    const source = program.getSourceFile(path)
    const module = source && checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${path} exports nothing`)
    for (const statement of source.statements)
      if (ts.isExportDeclaration(statement) && !statement.exportClause)
        throw new Error(`${path}: export names one by one`)
    const entries = checker
      .getExportsOfModule(module)
      .map((symbol) => [symbol.name, describe(checker, symbol)])
      .sort(([a], [b]) => (a < b ? -1 : 1))
    api[name] = Object.fromEntries(entries)
  }
  return api
}

const FORMAT = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
const printer = ts.createPrinter({ removeComments: true })

/** A node's source on one line, without comments. */
const text = (node) => tidy(printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()))

/** One line; how a file imports tfjs makes no difference to callers. */
const tidy = (source) =>
  source
    .replace(/\s+/g, ' ')
    .replace(/\[ | \]/g, (bracket) => bracket.trim())
    .replace(/\btf\./g, '')
    .trim()

/** An inferred type on one line. */
const print = (checker, type, location) => tidy(checker.typeToString(type, location, FORMAT))

function describe(checker, exported) {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const [declaration] = symbol.declarations
  if (ts.isInterfaceDeclaration(declaration)) return describeInterface(checker, symbol)
  if (ts.isClassDeclaration(declaration)) return describeClass(checker, symbol, declaration)
  if (ts.isTypeAliasDeclaration(declaration))
    return `type${parameterList(declaration)} = ${text(declaration.type)}`
  const type = checker.getTypeOfSymbolAtLocation(symbol, declaration)
  const signatures = type.getCallSignatures()
  if (ts.isFunctionDeclaration(declaration) || signatures.length > 0)
    return signatures.map((signature) => call(checker, signature, declaration)).join(' & ')
  const annotation = ts.isVariableDeclaration(declaration) && declaration.type
  return annotation ? text(annotation) : print(checker, type, declaration)
}

function describeInterface(checker, symbol) {
  const members = []
  for (const declaration of symbol.declarations.filter(ts.isInterfaceDeclaration)) {
    if (head(declaration)) members.push(['interface', head(declaration)])
    for (const member of declaration.members) members.push(entry(checker, member))
  }
  return Object.fromEntries(members)
}

function describeClass(checker, symbol, declaration) {
  const members = [['class', head(declaration)]]
  const constructors = checker.getTypeOfSymbolAtLocation(symbol, declaration).getConstructSignatures()
  for (const signature of constructors) members.push(['new', call(checker, signature, declaration)])
  for (const member of declaration.members) {
    const flags = ts.getCombinedModifierFlags(member)
    const hidden = flags & ts.ModifierFlags.Private || (member.name && ts.isPrivateIdentifier(member.name))
    if (!hidden && member.name) members.push(entry(checker, member))
  }
  return Object.fromEntries(members)
}

/** What stands between a type's name and its brace. */
const head = (declaration) =>
  [parameterList(declaration), ...(declaration.heritageClauses ?? []).map(text)].filter(Boolean).join(' ')

const parameterList = ({ typeParameters }) =>
  typeParameters ? `<${typeParameters.map(text).join(', ')}>` : ''

/** A member's name, with its modifiers, and its type. */
function entry(checker, member) {
  if (!member.name) return [ts.SyntaxKind[member.kind], text(member)]
  const modifiers = (ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [])
    .map(text)
    .filter((modifier) => ['readonly', 'static', 'abstract', 'get', 'set'].includes(modifier))
  if (ts.isGetAccessor(member)) modifiers.push('get')
  if (ts.isSetAccessor(member)) modifiers.push('set')
  const name = [...modifiers, `${text(member.name)}${member.questionToken ? '?' : ''}`].join(' ')
  const type = checker.getTypeAtLocation(member)
  if (ts.isMethodSignature(member) || ts.isMethodDeclaration(member))
    return [
      name,
      type
        .getCallSignatures()
        .map((signature) => call(checker, signature, member))
        .join(' & '),
    ]
  return [name, member.type ? text(member.type) : print(checker, type, member)]
}

/** `(a: A, b?: B) => C` as declared where it is declared. */
function call(checker, signature, location) {
  const declaration = signature.getDeclaration()
  const parameters = signature.parameters.map((parameter, index) => {
    const node = parameter.valueDeclaration
    if (!node || !ts.isParameter(node))
      return `${parameter.name}: ${print(checker, checker.getTypeOfSymbolAtLocation(parameter, location), location)}`
    // A destructured parameter has no name that a caller sees.
    const name = ts.isIdentifier(node.name) ? node.name.text : index === 0 ? 'input' : 'options'
    const optional = checker.isOptionalParameter(node) ? '?' : ''
    const type = node.type ? text(node.type) : print(checker, checker.getTypeAtLocation(node), node)
    return `${node.dotDotDotToken ? '...' : ''}${name}${optional}: ${type}`
  })
  const result = declaration?.type
    ? text(declaration.type)
    : print(checker, signature.getReturnType(), location)
  return `${declaration ? parameterList(declaration) : ''}(${parameters.join(', ')}) => ${result}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const json = `${JSON.stringify(await makeApi(), null, 2)}\n`
  if (process.argv.includes('--print')) process.stdout.write(json)
  else await writeFile(join(root, 'docs/api.json'), json)
}
