import {
  datasetNames,
  openEvaluationDataset,
  readPoints,
  readSpaceLandmarks,
  readSurface,
} from '@facekit/evaluation'
import { encodeMatFile } from '@facekit/testing'
import { execFileSync } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderOf, linesOf, objOf, pickedPointsOf, plyOf, ptsOf } from './files.js'
import { relief, sevenOf } from './surfaces.js'

const face = relief(9)
const seven = sevenOf(face)
const flat = Float64Array.from({ length: 136 }, (_, i) => 10 + i)

describe('readers of points and surfaces', () => {
  test.skipIf(process.platform === 'win32')('throws: pipes and devices, which are not opened', async () => {
    const root = await folderOf({ 'a.jpg': '', 'b.jpg': '', 'a.txt': linesOf(seven), 'b.obj': objOf(face) })
    execFileSync('mkfifo', [join(root, 'a.obj'), join(root, 'b.txt'), join(root, 'landmarks.json')])
    await symlink('/dev/zero', join(root, 'c.ply'))
    await expect(readSurface(join(root, 'a.obj'))).rejects.toThrow('cannot be read (ENOTREG)')
    await expect(readSurface(join(root, 'c.ply'))).rejects.toThrow('cannot be read (ENOTREG)')
    await expect(readSpaceLandmarks(join(root, 'b.txt'))).rejects.toThrow('cannot be read (ENOTREG)')
    const { cases } = await openEvaluationDataset('folder', root)
    for (const one of cases) await expect(one.read()).rejects.toThrow('cannot be read (ENOTREG)')
    expect(cases).toHaveLength(2)
  })

  test('value: points in every format', async () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }"
    const padded = header.padEnd(128 - 10 - 1, ' ') + '\n'
    const npy = new Uint8Array([
      0x93,
      ...new TextEncoder().encode('NUMPY'),
      1,
      0,
      padded.length,
      0,
      ...new TextEncoder().encode(padded),
      ...new Uint8Array(Float32Array.from(seven).buffer),
    ])
    const root = await folderOf({
      'a.pp': pickedPointsOf(seven),
      'a.txt': `# landmarks\n${linesOf(seven)}\n`,
      'a.json': JSON.stringify({
        landmarks: Array.from({ length: 7 }, (_, i) => Array.from(seven.subarray(i * 3, i * 3 + 3))),
      }),
      'a.npy': npy,
      'a.pts': ptsOf(flat),
      'five.txt': linesOf(seven.slice(0, 15)),
      'bad.txt': '1 2 3\n4 x 6\n',
      'bad.npy': npy.subarray(0, 140),
      'short.npy': npy.subarray(0, 9),
    })
    for (const name of ['a.pp', 'a.txt', 'a.json', 'a.npy']) {
      const { which, positions } = await readSpaceLandmarks(join(root, name))
      expect(which).toEqual([36, 39, 42, 45, 33, 48, 54])
      positions.forEach((value, i) => expect(value).toBeCloseTo(seven[i], 4))
    }
    expect([...(await readPoints(join(root, 'a.pts'))).values]).toEqual([...flat])
    await expect(readSpaceLandmarks(join(root, 'five.txt'))).rejects.toThrow(
      '5 points of 3 numbers, expected 7',
    )
    await expect(readPoints(join(root, 'bad.txt'))).rejects.toThrow('point 2 is not')
    await expect(readPoints(join(root, 'bad.npy'))).rejects.toThrow('cut short')
    await expect(readPoints(join(root, 'short.npy'))).rejects.toThrow('its header is missing')
    await expect(readPoints(join(root, 'none.txt'))).rejects.toThrow('ENOENT')
  })

  test('value: surfaces; throws: clouds of points', async () => {
    const root = await folderOf({
      'a.obj': objOf(face),
      'a.ply': plyOf(face),
      'cloud.obj': 'v 0 0 0\nv 1 0 0\nv 0 1 0\n',
    })
    for (const name of ['a.obj', 'a.ply']) {
      const { positions, triangles } = await readSurface(join(root, name), 10)
      expect(triangles).toEqual(face.triangles)
      for (const [i, value] of Array.from(positions).entries())
        expect(value).toBeCloseTo(10 * face.positions[i], 6)
    }
    await expect(readSurface(join(root, 'cloud.obj'))).rejects.toThrow('3 points but no triangles')
  })
})

describe('data sets', () => {
  test('value: MICC, with clips under both names, an empty one, and a person without a scan', async () => {
    const root = await folderOf({
      'subject_01/Model/frontal1/obj/1109.obj': objOf(face),
      'subject_01/Model/frontal1/obj/1109.pp': pickedPointsOf(seven),
      ...Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [`subject_01/Videos/Indoor-Cooperative/${i}.jpg`, '']),
      ),
      'subject_01/Videos/PTZ-Indoor/video.mov': '',
      'subject_01/Videos/PTZ-Outdoor/frame2.png': '',
      'subject_01/Videos/PTZ-Outdoor/frame10.png': '',
      'subject_01/Videos/PTZ-Outdoor/frames.txt': 'frame10.png\n',
      'subject_02/Videos/PTZ-Outdoor/frame2.png': '',
      'subject_03/Model/frontal2/obj/x.obj': 'v 0 0 0\n',
      'subject_03/cooperative/1.jpg': '',
    })
    const dataset = await openEvaluationDataset('micc', root)
    expect(dataset.groups).toEqual(['cooperative', 'indoor', 'outdoor'])
    expect(dataset.cases.map(({ id, pictures }) => [id, pictures.length])).toEqual([
      ['subject_01/cooperative', 15],
      ['subject_01/outdoor', 1],
      ['subject_03/cooperative', 1],
    ])
    expect(dataset.cases[0].pictures[1]).toBe(join('subject_01/Videos/Indoor-Cooperative/2.jpg'))
    expect(dataset.cases[1].pictures).toEqual([join('subject_01/Videos/PTZ-Outdoor/frame10.png')])
    const truth = await dataset.cases[0].read()
    expect(truth.scan!.positions.length).toBe(243)
    expect(truth.landmarks!.which).toHaveLength(7)
    expect(dataset.problems).toEqual([
      expect.stringContaining('PTZ-Indoor: holds no frames'),
      'subject_02: has no scan in Model/frontal1/obj',
      'subject_03: has no clip indoor',
      'subject_03: has no clip outdoor',
    ])
    await expect(dataset.cases[2].read()).rejects.toThrow('1 points but no triangles')
  })

  test('value: FaceScape, with invalid views and scales', async () => {
    const views = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`img/7/1_neutral/${i}.jpg`, '']))
    const root = await folderOf({
      ...views,
      'img/7/1_neutral/params.json': JSON.stringify({ '0_valid': false, '1_valid': true }),
      'img/7/16_grin/0.jpg': '',
      'shapes/7/1_neutral.ply': plyOf(face),
      'Rt_scale_dict.json': JSON.stringify({ 7: { 1: [2, []] } }),
    })
    const { cases, problems } = await openEvaluationDataset('facescape', root)
    expect(cases.map(({ id, group }) => [id, group])).toEqual([['7/1_neutral', 'neutral']])
    expect(cases[0].pictures).toHaveLength(40)
    expect(cases[0].pictures[0]).toBe(join('img/7/1_neutral/1.jpg'))
    expect((await cases[0].read()).scan!.positions[0]).toBeCloseTo(2 * face.positions[0], 4)
    expect(problems).toEqual(['7/3_mouth_stretch: has no mesh', '7/16_grin: has no mesh'])
    const single = await folderOf({ '7/1_neutral/0.jpg': '', '7/1_neutral.ply': plyOf(face) })
    const alone = await openEvaluationDataset('facescape', single)
    expect(alone.cases).toHaveLength(1)
    expect(alone.problems[0]).toContain('Rt_scale_dict.json is missing')
    for (const damaged of ['{', 'null']) {
      await writeFile(join(single, '7/1_neutral/params.json'), damaged)
      const { cases: all, problems: said } = await openEvaluationDataset('facescape', single)
      expect(all[0].pictures).toHaveLength(1)
      expect(said).toContainEqual(expect.stringMatching(/params\.json: is damaged/))
    }
  })

  test('value: AFLW2000-3D, in columns of yaw, with millimetres', async () => {
    const mat = (yaw: number) =>
      encodeMatFile([
        {
          name: 'pt3d_68',
          shape: [3, 68],
          values: Array.from({ length: 204 }, (_, i) => 100 + i),
          single: true,
        },
        { name: 'Pose_Para', shape: [1, 7], values: [0, (yaw * Math.PI) / 180, 0, 0, 0, 0, 0.0005] },
      ])
    const root = await folderOf({
      'image00002.jpg': '',
      'image00002.mat': mat(-12),
      'image00004.jpg': '',
      'image00004.mat': mat(45),
      'image00006.jpg': '',
      'image00006.mat': mat(-100),
      'image00008.jpg': '',
      'image00008.mat': new Uint8Array(10),
      'image00010.jpg': '',
    })
    const { cases, problems, groups } = await openEvaluationDataset('aflw2000', root)
    expect(cases.map(({ group }) => group)).toEqual([groups[0], groups[1], groups[2]])
    const { pictureLandmarks, landmarks } = await cases[0].read()
    expect(Array.from(pictureLandmarks!.subarray(0, 4))).toEqual([99.5, 100.5, 102.5, 103.5])
    // Half a pixel for a millimetre, y up.
    expect(Array.from(landmarks!.positions.subarray(0, 3)).map((value) => Math.round(value))).toEqual([
      200, -202, 204,
    ])
    expect(problems).toEqual([
      expect.stringContaining('image00008.mat'),
      'image00010.jpg: has no image00010.mat',
      '1 faces are turned by more than 90 degrees: kept in the column 60 to 90, as 3DDFA does',
    ])
    const dropped = await openEvaluationDataset('aflw2000', root, { dropBeyond90: true })
    expect(dropped.cases).toHaveLength(2)
  })

  test('value: CelebA, some of the test part, the same for the same seed', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `${String(i + 1).padStart(6, '0')}.jpg`)
    const root = await folderOf({
      'Eval/list_eval_partition.txt': names.map((name, i) => `${name} ${i < 10 ? 0 : 2}`).join('\n'),
      ...Object.fromEntries(names.slice(0, 29).map((name) => [`Img/img_align_celeba/${name}`, ''])),
    })
    const ids = async (seed: number) =>
      (await openEvaluationDataset('celeba', root, { count: 5, seed })).cases.map(({ id }) => id)
    const first = await ids(1)
    expect(first).toHaveLength(5)
    expect(await ids(1)).toEqual(first)
    expect(await ids(2)).not.toEqual(first)
    const all = await openEvaluationDataset('celeba', root)
    expect(all.cases).toHaveLength(19)
    expect(all.problems).toEqual(['000030.jpg: is missing'])
  })

  test('value: NoW, with a person whose scan is not public', async () => {
    const root = await folderOf({
      'imagepathsvalidation.txt':
        'A/multiview_neutral/IMG_1.jpg\nA/selfie/IMG_2.jpg\nB/selfie/IMG_3.jpg\nx\n',
      'final_release_version/iphone_pictures/A/multiview_neutral/IMG_1.jpg': '',
      'scans/A/natural_head_rotation.000001.obj': objOf(face),
      'scans_lmks_onlypp/A/natural_head_rotation.000001_picked_points.pp': pickedPointsOf(seven),
    })
    const { cases, problems, protocol } = await openEvaluationDataset('now', root)
    expect(protocol).toBe('now')
    expect((await openEvaluationDataset('now', root, { metric: true })).protocol).toBe('now-metric')
    expect(cases.map(({ id }) => id)).toEqual(['A/multiview_neutral/IMG_1', 'A/selfie/IMG_2'])
    expect((await cases[1].read()).landmarks!.positions).toHaveLength(21)
    expect(problems).toHaveLength(3)
    expect(problems.join()).toContain('B: has no scan')
  })

  test('value: REALY, in mm by the scale of each person', async () => {
    const region = (name: string) => [`data/REALY_scan_region/2/${name}.obj`, objOf(face)]
    const keypoints = Array.from({ length: 85 }, (_, i) => `v ${i} 0 1`).join('\n')
    const root = await folderOf({
      ...Object.fromEntries(['nose', 'mouth', 'forehead', 'cheek'].map(region)),
      'data/REALY_HIFI3D_keypoints/2.obj': keypoints,
      'data/metrical_scale.txt': '1.5\n2.5\n',
      'data/REALY_scan_region/3/nose.obj': objOf(face),
      'pictures/frontal/2.png': '',
      'pictures/multiview/2_15.png': '',
      'pictures/multiview/12.png': '',
    })
    const { cases, problems } = await openEvaluationDataset('realy', root)
    expect(cases.map(({ id }) => id)).toEqual([join('pictures/frontal/2'), join('pictures/multiview/2_15')])
    const { realy } = await cases[0].read()
    expect(realy!.millimetres).toBe(2.5)
    expect(realy!.keypoints).toHaveLength(255)
    expect(problems).toEqual(['3: metrical_scale.txt has no line 3'])
  })

  test('value: 300-W, common and challenging, without the training parts', async () => {
    const files = ['lfpw/testset/a', 'lfpw/trainset/b', 'helen/testset/c', 'ibug/d', 'afw/e'].flatMap(
      (path) => [
        [`${path}.jpg`, ''],
        [`${path}.pts`, ptsOf(flat)],
      ],
    )
    const root = await folderOf({ ...Object.fromEntries(files), 'ibug/no-points.jpg': '' })
    const { cases, groups, problems } = await openEvaluationDataset('300w', root)
    expect(groups).toEqual(['common', 'challenging'])
    expect(cases.map(({ id }) => id).sort()).toEqual(
      ['helen/testset/c', 'ibug/d', 'lfpw/testset/a'].map((path) => join(path)),
    )
    expect([...(await cases[0].read()).pictureLandmarks!]).toEqual([...flat])
    expect(problems).toEqual([join('ibug/no-points.jpg: has no .pts file')])
  })

  test('value: a plain folder: files of one name, folders that are faces, and folders of them', async () => {
    const root = await folderOf({
      'anna.jpg': '',
      'anna.obj': objOf(face),
      'anna.txt': linesOf(seven),
      'ben.jpg': '',
      'ben.pts': ptsOf(flat),
      'alone.jpg': '',
      'grin/carl/1.jpg': '',
      'grin/carl/2.jpg': '',
      'grin/carl/scan.ply': plyOf(face),
      'grin/dora/1.jpg': '',
      'emil/1.jpg': '',
      'emil/scan.obj': objOf(face),
      'cloud.jpg': '',
      'cloud.obj': 'v 0 0 0\n',
    })
    const { cases, groups, problems } = await openEvaluationDataset('folder', root)
    expect(groups).toEqual(['all', 'grin'])
    expect(cases.map(({ id, group, pictures }) => [id, group, pictures.length])).toEqual([
      ['anna', 'all', 1],
      ['ben', 'all', 1],
      ['cloud', 'all', 1],
      ['emil', 'all', 1],
      [join('grin/carl'), 'grin', 2],
    ])
    const anna = await cases[0].read()
    expect(anna.scan!.triangles).toEqual(face.triangles)
    expect(Array.from(anna.scan!.positions)).toEqual(Array.from(face.positions, (x) => expect.closeTo(x, 4)))
    expect(anna.landmarks!.which).toHaveLength(7)
    expect(Array.from((await cases[1].read()).pictureLandmarks!)).toEqual([...flat])
    await expect(cases[2].read()).rejects.toThrow('no triangles')
    expect(problems).toEqual([
      'alone.jpg: has no scan and no landmarks',
      `${join('grin/dora')}: has 1 photographs and 0 meshes, expected some and one`,
    ])
    expect((await openEvaluationDataset('folder', root, { count: 2 })).cases).toHaveLength(2)
  })

  test('value: a plain folder with landmarks.json', async () => {
    const points = Array.from({ length: 68 }, (_, i) => [flat[i * 2] - 0.5, flat[i * 2 + 1] - 0.5])
    const root = await folderOf({
      'landmarks.json': JSON.stringify({ 'a/1.jpg': points, 'a/2.jpg': [[1, 2]] }),
    })
    const { cases } = await openEvaluationDataset('folder', root)
    expect(cases.map(({ id, pictures }) => [id, pictures])).toEqual([
      ['a/1', ['a/1.jpg']],
      ['a/2', ['a/2.jpg']],
    ])
    expect(Array.from((await cases[0].read()).pictureLandmarks!)).toEqual([...flat])
    await expect(cases[1].read()).rejects.toThrow('"a/2.jpg" has no 68 points')
    const broken = await folderOf({ 'landmarks.json': '[' })
    await expect(openEvaluationDataset('folder', broken)).rejects.toThrow('no JSON')
  })

  for (const name of datasetNames) {
    test(`throws: ${name}, another layout, and no folder, in one line`, async () => {
      const root = await folderOf({ 'x.txt': 'x' })
      const error = await openEvaluationDataset(name, root).catch((caught: Error) => caught)
      expect(error).toBeInstanceOf(Error)
      expect((error as Error).message).toMatch(/expected/)
      expect((error as Error).message).not.toContain('\n')
      await expect(openEvaluationDataset(name, join(root, 'nothing'))).rejects.toThrow('is no folder')
    })
  }
})
