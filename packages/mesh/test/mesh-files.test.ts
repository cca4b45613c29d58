import { fanPolygons, parseObj, parsePly } from '@facekit/mesh'
import { describe, expect, test } from 'vitest'

const text = (lines: string[]) => new TextEncoder().encode(`${lines.join('\n')}\n`)

describe('parseObj', () => {
  test('value: positions and polygons in their order, indices from the end too', () => {
    const { positions, polygons, uvPolygons } = parseObj(
      'v 0 0 0\nv 1 0 0 0.5 0.5 0.5\nv 1 1 0\nvt 0 0\nvt 1 1\nf -3/-2 -2/-1 -1\nv 0 1 0\nf 1 2 3 4\n',
      'x.obj',
    )
    expect([...positions]).toEqual([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0])
    expect(polygons).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
    ])
    expect(uvPolygons[0]).toEqual([0, 1, -1])
    expect([...fanPolygons(polygons)]).toEqual([0, 1, 2, 0, 1, 2, 0, 2, 3])
  })

  test('value: lines that go on after a backslash, and those that are indented; comments do not go on', () => {
    const { positions, polygons, uv } = parseObj(
      '# made in C:\\heads\\\n  v 0 0 0\n\tv\t1 0 \\\r\n0\nv 0 1 0\n vt 0.5 1\nf 1 \\\n2 \\\n3\n',
      'x.obj',
    )
    expect([...positions]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0])
    expect([...uv]).toEqual([0.5, 1])
    expect(polygons).toEqual([[0, 1, 2]])
    expect(() => parseObj('v 0 0 0\nf 1 \\\n1 \\\n9\n', 'x.obj')).toThrow('names vertex 9')
  })

  test('throws: an index before the first vertex', () => {
    expect(() => parseObj('v 0 0 0\nf -2 -1 -1\n', 'x.obj')).toThrow('x.obj: no polygon')
  })
})

describe('parsePly', () => {
  const header = (format: string, more: string[] = []) => [
    'ply',
    `format ${format} 1.0`,
    'comment a test',
    'element vertex 4',
    'property float x',
    'property double y',
    'property uchar red',
    'property float z',
    ...more,
    'element face 2',
    'property uchar flag',
    'property list uchar int vertex_indices',
    'end_header',
  ]
  const vertices = [
    [0, 0, 9, 1],
    [1, 0, 9, 2],
    [1, 1, 9, 3],
    [0, 1, 9, 4],
  ]

  test('throws: counts that the file cannot hold are not worked through; names of JavaScript are no types', () => {
    const file = (element: string, property: string) =>
      text([
        'ply',
        'format binary_little_endian 1.0',
        element,
        property,
        'element vertex 0',
        'property float x',
        'end_header',
      ])
    const started = performance.now()
    expect(() => parsePly(file('element edge 9007199254740991', 'comment none'), 'x.ply')).toThrow(
      'do not fit into',
    )
    expect(() => parsePly(file('element edge 1000000000', 'property uchar a'), 'x.ply')).toThrow(
      'do not fit into',
    )
    expect(performance.now() - started).toBeLessThan(1000)
    for (const line of ['property list uchar', 'property float', 'property list uchar int'])
      expect(() => parsePly(file('element edge 1', line), 'x.ply')).toThrow('expected types of PLY')
    expect(() => parsePly(file('element edge 1', 'property constructor x'), 'x.ply')).toThrow(
      'expected types of PLY',
    )
  })

  test('value: ASCII, with other properties', () => {
    const mesh = parsePly(
      text([...header('ascii'), ...vertices.map((row) => row.join(' ')), '7 3 0 1 2', '7 4 0 1 2 3']),
      'x.ply',
    )
    expect([...mesh.positions]).toEqual([0, 0, 1, 1, 0, 2, 1, 1, 3, 0, 1, 4])
    expect(mesh.polygons).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3],
    ])
  })

  for (const little of [true, false]) {
    test(`value: binary, ${little ? 'little' : 'big'} endian, and cut short`, () => {
      const head = text(header(`binary_${little ? 'little' : 'big'}_endian`))
      const data = new DataView(new ArrayBuffer(4 * 17 + 2 + 12 + 2 + 16))
      let at = 0
      for (const [x, y, red, z] of vertices) {
        data.setFloat32(at, x, little)
        data.setFloat64(at + 4, y, little)
        data.setUint8(at + 12, red)
        data.setFloat32(at + 13, z, little)
        at += 17
      }
      for (const list of [
        [0, 1, 2],
        [3, 2, 1, 0],
      ]) {
        data.setUint8(at, 1)
        data.setUint8(at + 1, list.length)
        at += 2
        for (const vertex of list) {
          data.setInt32(at, vertex, little)
          at += 4
        }
      }
      const bytes = new Uint8Array([...head, ...new Uint8Array(data.buffer)])
      const mesh = parsePly(bytes, 'x.ply')
      expect([...mesh.positions]).toEqual([0, 0, 1, 1, 0, 2, 1, 1, 3, 0, 1, 4])
      expect(mesh.polygons[1]).toEqual([3, 2, 1, 0])
      expect(() => parsePly(bytes.subarray(0, bytes.length - 3), 'x.ply')).toThrow(
        'x.ply: face 2 of 2 is cut short',
      )
    })
  }

  test('throws: what is no PLY file, has other types, or names vertices that are not there', () => {
    expect(() => parsePly(text(['v 0 0 0']), 'x.ply')).toThrow('expected a PLY file')
    expect(() => parsePly(text(header('ascii', ['property half w'])), 'x.ply')).toThrow(
      'expected types of PLY',
    )
    expect(() => parsePly(text(header('ascii')), 'x.ply')).toThrow('vertex 1 of 4 is missing')
    const rows = vertices.map((row) => row.join(' '))
    expect(() => parsePly(text([...header('ascii'), ...rows, '7 3 0 1 4', '7 3 0 1 2']), 'x.ply')).toThrow(
      'names vertex 4',
    )
    expect(() => parsePly(text([...header('ascii'), 'nan 0 0 0', ...rows.slice(1)]), 'x.ply')).toThrow(
      'vertex 1 is no finite number',
    )
  })
})
