import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readPicture } from '@facekit/annotate'
import { lockFile } from '@facekit/core'
import { encodePng } from '@facekit/export'
import { saveMorphableModel } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { photograph } from './pictures.js'
import { run } from './run-in-process.js'
import { spawnCli } from './spawn-cli.js'

const face = createTinyFace({ rows: 31, columns: 27 })
const FACES = ['anna', 'ben', 'carl', 'dora'] as const
let folder: string
let model: string
let data: string
let meshes: string

/** The mean face, each vertex moved. */
function obj(move: (p: [number, number, number]) => number[] = (p) => p, triangles = true): string {
  const positions = face.shape.mean.data
  const lines = Array.from({ length: face.vertexCount }, (_, v) => {
    const p = [0, 1, 2].map((c) => positions[v * 3 + c]) as [number, number, number]
    return `v ${move(p).join(' ')}`
  })
  const end = triangles ? face.triangles.length : 0
  for (let t = 0; t < end; t += 3)
    lines.push(`f ${[0, 1, 2].map((k) => face.triangles[t + k] + 1).join(' ')}`)
  return `${lines.join('\n')}\n`
}

const landmarks = () =>
  Array.from(face.landmarks, (v) => [0, 1, 2].map((c) => face.shape.mean.data[v * 3 + c]).join(' ')).join(
    '\n',
  )

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-evaluate-'))
  model = join(folder, 'tiny.safetensors')
  data = join(folder, 'data')
  meshes = join(folder, 'meshes')
  await saveMorphableModel(face, model)
  const wavy = ([x, y, z]: number[]) => [x, y, z + 2 * Math.sin(x / 9)]
  for (const name of FACES) {
    await put(join(data, `${name}.jpg`), '')
    await put(join(data, `${name}.obj`), name === 'dora' ? obj(undefined, false) : obj(wavy))
    await put(join(data, `${name}.txt`), landmarks())
  }
  // The truth in metres and turned; a mirrored one; none of carl.
  await put(
    join(meshes, 'anna.obj'),
    obj((p) => wavy(p).map((value) => value / 1000)),
  )
  await put(
    join(meshes, 'ben.obj'),
    obj(([x, y, z]) => [x, y, -z]),
  )
  await put(join(meshes, 'dora.obj'), obj())
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const common = () => [data, '--model', model, '--backend', 'cpu', '--workers', '1']

interface Report {
  cases: number
  missing: string[]
  results: { id: string; method: string; scores?: Record<string, number>; problems: string[] }[]
  comparableTables?: Report['tables']
  tables: { measure: string; rows: { method: string; cells: ({ mean: number; faces: number } | null)[] }[] }[]
}

describe('facekit evaluate', () => {
  it('smoke: help names the flags', async () => {
    const { code, stdout } = await run(['evaluate', '--help'])
    expect(code).toBe(0)
    for (const flag of ['--dataset', '--method', '--workers', '--json', '--landmarks', 'resume'])
      expect(stdout).toContain(flag)
  })

  it('value: a folder of meshes beside the mean face; what is missing is said, and the rest is scored', async () => {
    const out = join(folder, 'scores')
    const { code, stdout, stderr } = await run([
      'evaluate',
      ...common(),
      '--method',
      `peer=${meshes}`,
      '--unit',
      'm',
      '-o',
      out,
      '--json',
    ])
    // Not all is scored, which the code says.
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    const report = JSON.parse(stdout) as Report
    expect(report.cases).toBe(4)
    const of = (id: string, method: string) => report.results.find((r) => r.id === id && r.method === method)!
    // In the unit that was said, the right shape is the truth.
    expect(of('anna', 'peer').scores!.pointToPlane).toBeLessThan(1e-3)
    expect(of('anna', 'peer').scores!.correspondence).toBeLessThan(1e-3)
    expect(of('anna', 'mean face').scores!.pointToPlane).toBeGreaterThan(0.3)
    expect(of('ben', 'peer').problems.join()).toMatch(/mirrored/)
    expect(of('carl', 'peer').problems.join()).toMatch(/there is no mesh .*carl\.obj/)
    expect(of('dora', 'mean face').problems.join()).toMatch(/no triangles/)
    expect(report.missing).toContain('peer: 1 of 4 faces were scored')
    const [main] = report.tables
    expect(main.measure).toBe('pointToPlane')
    expect(main.rows.map(({ method, cells }) => [method, cells[0]?.faces])).toEqual([
      ['peer', 1],
      ['mean face', 3],
    ])
    expect(report.comparableTables![0].rows.map(({ cells }) => cells[0]?.faces)).toEqual([1, 1])
    for (const file of [
      'report.json',
      'tables.md',
      'tables.csv',
      'index.html',
      'curve-1.svg',
      'cases/anna.json',
    ])
      expect(existsSync(join(out, file))).toBe(true)
    expect(await readdir(join(out, 'maps'))).toContain('anna=peer.glb')
    // Two methods and the truth of anna; of ben, who has no mesh, the mean face and the truth.
    const heights = ['anna', 'ben'].map(async (name) => {
      const [rows] = (await readPicture(join(out, `figures/${name}.png`))).shape
      return rows
    })
    const [anna, ben] = await Promise.all(heights)
    expect(anna / ben).toBeCloseTo(3 / 2, 9)
    const page = await readFile(join(out, 'index.html'), 'utf8')
    expect(page).toContain('maps/anna=peer.png')
    expect(page).toContain('What is missing')
  })

  it('value: goes on where it was, adds methods, and refuses other settings', async () => {
    const out = join(folder, 'resumed')
    const first = [
      'evaluate',
      ...common(),
      '--method',
      `peer=${meshes}`,
      '--unit',
      'm',
      '--maps',
      '0',
      '-o',
      out,
    ]
    expect((await run(first)).code).toBe(1)
    const before = await readFile(join(out, 'cases/anna.json'), 'utf8')
    await rm(join(out, 'cases/ben.json'))
    // What somebody has changed is scored again.
    const carl = await readFile(join(out, 'cases/carl.json'), 'utf8')
    expect(carl).toMatch(/"pointToPlane":[\d.]+/)
    await put(join(out, 'cases/carl.json'), carl.replace(/"pointToPlane":[\d.]+/, '"pointToPlane":"none"'))
    const worse = join(folder, 'worse')
    await put(
      join(worse, 'anna.obj'),
      obj(([x, y, z]) => [x, y, 0.6 * z]),
    )
    const { code, stdout } = await run([...first.slice(0, -2), '--method', `worse=${worse}`, '-o', out])
    expect(code).toBe(1)
    expect(stdout).toMatch(/\| worse \|/)
    const after = await readFile(join(out, 'cases/anna.json'), 'utf8')
    // Seconds would differ if it had been scored again.
    expect(after.slice(0, before.length - 2)).toBe(before.slice(0, -2))
    expect(existsSync(join(out, 'cases/ben.json'))).toBe(true)
    const again = await readFile(join(out, 'cases/carl.json'), 'utf8')
    const score = /"pointToPlane":[\d.]+/.exec(carl)![0]
    expect(again).toContain(score)
    const other = await run([
      'evaluate',
      ...common(),
      '--method',
      `peer=${meshes}`,
      '--unit',
      'mm',
      '-o',
      out,
    ])
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^facekit: .*other settings.*--force/),
    })
    const elsewhere = await run([
      'evaluate',
      ...common(),
      '--method',
      `peer=${worse}`,
      '--unit',
      'm',
      '-o',
      out,
    ])
    expect(elsewhere.stderr).toMatch(/other settings/)
    const lock = await lockFile(join(out, '.evaluate.lock'), 'evaluates')
    expect((await run(first)).stderr).toMatch(/evaluates into this folder/)
    await lock.release()
    for (const damaged of ['null', '{"settings":1}', '{"settings":"']) {
      await put(join(folder, 'damaged/evaluation.json'), damaged)
      const refused = await run([...first.slice(0, -1), join(folder, 'damaged')])
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/evaluation\.json is damaged/) })
    }
    await put(join(out, 'mine.txt'), 'x')
    const forced = await run([...first, '--force'])
    expect(forced.stderr).toMatch(/did not write \(mine\.txt\)/)
  })

  it('value: faces whose names differ in a sign only have files of their own', async () => {
    const [out, own] = [join(folder, 'signs'), join(folder, 'signs-data')]
    for (const name of ['a/b', 'a__b', 'a+b']) {
      await put(join(own, `${name}.jpg`), '')
      await put(join(own, `${name}.obj`), obj())
      await put(join(own, `${name}.txt`), landmarks())
    }
    const args = [
      'evaluate',
      own,
      '--model',
      model,
      '--backend',
      'cpu',
      '--workers',
      '1',
      '--method',
      'mean face',
    ]
    const scored = async () => {
      const { code, stdout } = await run([...args, '--maps', '3', '-o', out, '--json'])
      expect(code).toBe(0)
      return (JSON.parse(stdout) as Report).results
    }
    const first = await scored()
    expect(first.map(({ id }) => id).toSorted()).toEqual(['a+b', 'a/b', 'a__b'])
    expect((await readdir(join(out, 'cases'))).toSorted()).toEqual(['a+b.json', 'a__b.json', 'a~2b~b.json'])
    expect((await readdir(join(out, 'maps'))).filter((name) => name.endsWith('.glb'))).toHaveLength(3)
    // All are kept: nothing is scored again.
    expect(await scored()).toEqual(first)
  })

  it('value: processes find what one finds', async () => {
    const scores = async (workers: string) => {
      const out = join(folder, `workers-${workers}`)
      const args = [
        'evaluate',
        data,
        '--model',
        model,
        '--backend',
        'cpu',
        '--maps',
        '0',
        '--workers',
        workers,
      ]
      const { code, stdout, stderr } = await spawnCli([
        ...args,
        '--method',
        `peer=${meshes}`,
        '-o',
        out,
        '--json',
      ])
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
      return (JSON.parse(stdout) as Report).results.map(({ id, method, scores: found }) => ({
        id,
        method,
        found,
      }))
    }
    expect(await scores('2')).toEqual(await scores('1'))
  })

  it('value: what a method scores does not depend on the methods beside it', async () => {
    const own = join(folder, 'one')
    await put(join(own, 'anna.jpg'), '')
    await put(join(own, 'anna.obj'), obj())
    await put(join(own, 'anna.txt'), landmarks())
    const scoresOf = async (...methods: string[]) => {
      const args = ['evaluate', own, '--maps', '0', '--workers', '1', '--backend', 'cpu', '--json']
      const flags = methods.flatMap((method) => ['--method', method])
      const { stdout } = await run([...args, ...flags, '-o', join(folder, `beside-${methods.length}`)])
      return (JSON.parse(stdout) as Report).results.find(({ method }) => method === 'mean face')!.scores
    }
    // The network is for another face model than fits are made with.
    const beside = await scoresOf('mean face', 'regress')
    expect(beside!.pointToPlane).toBeGreaterThan(0)
    expect(beside).toEqual(await scoresOf('mean face'))
  })

  it('value: landmarks of the first picture are not compared with another one', async () => {
    const own = join(folder, 'two-pictures')
    const picture = await readFile(photograph(5))
    const points = Array.from({ length: 68 }, (_, i) => `${400 + i} ${300 + ((i * 7) % 90)}`)
    const pts = ['version: 1', 'n_points: 68', '{', ...points, '}', ''].join('\n')
    for (const face of ['first', 'second']) {
      await mkdir(join(own, face), { recursive: true })
      await writeFile(join(own, face, 'face.pts'), pts)
      await writeFile(join(own, face, '1.jpg'), face === 'first' ? picture : 'no picture')
      await writeFile(join(own, face, '2.jpg'), picture)
      await writeFile(join(own, face, 'scan.obj'), obj())
    }
    const args = ['evaluate', own, '--model', model, '--method', 'landmarks', '--maps', '0']
    const { code, stdout } = await run([
      ...args,
      '--workers',
      '1',
      '--backend',
      'wasm',
      '-o',
      join(folder, 'two'),
      '--json',
    ])
    // All is scored that can be.
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as Report
    const of = (id: string) => report.results.find((r) => r.id === id && r.method === 'landmarks')!
    expect(of('first').scores!.nmeBox).toBeGreaterThan(0)
    expect(of('second').scores!.pointToPlane).toBeGreaterThan(0)
    expect(of('second').scores!.nmeBox).toBeUndefined()
    expect(of('second').problems.join()).toContain('1.jpg')
  })

  it('value: of several faces in a picture the largest is scored, and it says so; a picture without one is missing', async () => {
    const own = join(folder, 'crowd')
    await mkdir(own)
    await copyFile(photograph(6), join(own, 'crowd.jpg'))
    const grey = ndarray(new Uint8Array(300 * 200 * 3).fill(128), [200, 300, 3])
    await writeFile(join(own, 'nobody.png'), encodePng(grey))
    for (const name of ['nobody', 'crowd']) {
      await put(join(own, `${name}.obj`), obj())
      await put(join(own, `${name}.txt`), landmarks())
    }
    const args = ['evaluate', own, '--model', model, '--method', 'landmarks', '--maps', '0', '--workers', '1']
    const { code, stdout } = await run([...args, '--backend', 'wasm', '-o', join(folder, 'crowds'), '--json'])
    expect(code).toBe(1)
    const report = JSON.parse(stdout) as Report
    const of = (id: string) => report.results.find((r) => r.id === id && r.method === 'landmarks')!
    expect(of('crowd').problems).toEqual(['crowd.jpg: shows 4 faces, the largest is taken'])
    expect(of('crowd').scores!.pointToPlane).toBeGreaterThan(0)
    expect(of('nobody')).toMatchObject({ problems: ['nobody.png: no face found'] })
    expect(report.missing.join('\n')).toContain('landmarks: 1 of 2 faces were scored')
  })

  it('throws: bad input, each in one line', async () => {
    const fails = async (...args: string[]) => {
      const { code, stderr } = await run(['evaluate', ...args, '-o', join(folder, 'none')])
      expect(code).toBe(1)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      return stderr
    }
    expect(await fails(join(folder, 'nowhere'))).toMatch(/is no folder/)
    expect(await fails(data, '--dataset', 'micc')).toMatch(/expected MICC/)
    expect(await fails(data, '--method', join(folder, 'no-meshes'))).toMatch(/neither a method nor a folder/)
    expect(await fails(data, '--method', `fit=${meshes}`)).toMatch(/another name/)
    expect(await fails(data, '--model', join(folder, 'no.safetensors'))).toMatch(/neither a model nor a file/)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })
})
