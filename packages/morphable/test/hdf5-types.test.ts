import { gunzipSync } from 'node:zlib'
import { describeHdf5 } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'

// Written by h5py 3.16 (the script is in the comment at the end), since no writer for JavaScript knows these types.
const FILES = {
  'a user block of 512 bytes, as MATLAB 7.3 writes it':
    'H4sIAAAAAAACA+1aS2/TQBCedZrEikJjEFLTAonhBEWtKkCiQigPaKGHvgQ9cEIY4bQRTho1oS0SKj2hcuPYY08IgYT4CT0ifgs/oAihYHtnXe' +
    '+2tqOqqCnZ7zJZZ/bh2Znx7szMlBemy/f026M39Znywkilapkg0Tt4PzXx4ExqKOU2VBX6QKN/KJS0EYUxvs36P0NKkG4h/aSw58T9L4vPz+L4' +
    'It/Co8lJZ9K2ADbPWB9SbOeuUjovt7AnMDVZdrf6G7YbSDdy+3rmqJKOz2O2xsUdfdMzqMoapOKQynj6qnJ6qaFebidp+4nHl6C6Tfb7+fXdmY' +
    'eEzBPHeRRFcbuoOGOMDcQMDZGGEo4fh/M2y6t6teW0BwlxV6h5c/PrcEZRVL8t/hvLeDw7N0Eg6dn96nDEviGtXwrnW0K6p/D+5N11Skfz4Htr' +
    'e59j4eOhF4P1eDgfuhEYHQznY36nMHQ8cnT2l9cruhJC1cTTihjAoe2j652SZZrGY/1E7fugPALsDOZwb+ehlIFSuxj1vv1ZXiMYtrva3zF/9D' +
    'HPf2fTMM75hyXDqkCon0PcOnyeyteH9+emiU9ARNC4Wo1vM4NaMi1r2TfSbkZ+pSQkJCQkJCQkJCQkJCQkuhYFKLd/27f+N7Dx5TPFnyKLBYhR' +
    'GRpMIYRwsYIDUZrLeaABex0GVBh468UOgqI0OZ1y9AmL2+oqUUVHqTT3t6aySGUp4r2v4Hurwkw7p0J1jl8ew1IenDxunHJ5JDqWh5vBwKh0sD' +
    'zuoDz4rMk537j9P9IvAT6cEnlE+VOUD6FvHMPoa7B87nYon82ukguLYtt01WwCWMv1RafdXDMaDfMFWMbKolOXYJlG00mHNWuGZdm0tWbaHQAq' +
    '1VW3bKH1uuHSulGzewE8XzGqdZsuCnItHXGdLAvJsoPMKmfz4j5THFcOzssGjNA2y12I2UImt6AsCRGdSIQgijteH8a5+Qsz8z+LsAfj+q48QE' +
    'lISEhISPxfoNU+Ca9KaisRzs/ORZVr4Xzj7Nx0IZwPD7OQy4bzscPJ04vhfOw89l3pvntQzD3P8ysLPucXeuwedLDaKalCMjquVOpQTidb/USr' +
    'XyGw+lWit8GqpsVqyDTWJTr2lHbuf3hPFuNLgj1p4r2xZa53VGXqRB8UX93qXzn2v1k+MAAA',
  'a user block of 2,048 bytes, headers of HDF5 1.10':
    'H4sIAAAAAAACA+1aX0wcRRj/Zu+W21wP7kpA/lh7S4MtSsUGpCW0geM8rvdAS9M7hRAfPHJ7cOEOTu4EShrsS6s+tBpeSElMiA82kbRR2xqTqq' +
    'UlTdoaNW2iJkabkPKgDSY1jYoxiLOzO8vuAi08SOA6v8tm5pv55s/32/l38+2BhlBTg1fcU1ElHmgIPReNxSVgYGBgYGBgyGy8HfD5s+3Fdosg' +
    'AAhK2ryKg1WKvEvVPfXK+5PNAd9hDga4XDmh70kl47hNCe0cIBy0/n/dPTdVkSRdQICQFYDDaZY8QJtFJ4kDuMDOg92JYzzujcUu4J5aEDWNU+' +
    'vJzwXrgqEUjt1YF3jIkzNf746loQghXCOQB5GSAqmDPGqdJD259q/u3bNnX9W4KMX94RCi9lnAaC+VV8IVV6joOmhDY+t/GLdUT5YvOS6gmbw7' +
    'gEPgcYJnvt5oa45qq4tWNLHxp3TlrdvbNS7yMBcIA3RjlXJT4pbHOYYIBQIUvGEaB1tVbqy04o82Hhc/XnHXLhoXDkAubbXzGGzeptos0AquZ8' +
    '5SP9yIflp1odWQ92wGkzf41I79hAsx56ajS/+U4LnEL7WmPsHjqSMn/vHrny3+YLARxtV9ErkRTMkR36wlgANvKODD2w7W3YSlSJmwRdHLxj8F' +
    'I79UJPxBrAVuZJzJyNRRK17pBvCMpjmdapvFYAyvuEMzOIie2/9icxPSrYHItHUkEkaZV8NOKR7v0TU84WSnKQYGBgYGBgYGBgYGBgaGdYs6aJ' +
    'j/B//rPwpD4x8qmKtXsurHtPsAj6p9bDU3QpWiUigTb4S++W16kHBRYr4RWsyN4jJwGLipVbnhMpCb4S8v3ViWm+WupGWukMob8Aau9pm5+mzj' +
    'cvN7fpHoPxw4BDZikGshh7qh6BUfvS7UzOaMNWWvsEWrrqRStYjDg8/QtPbro+3eUJMf+O/fijwPH+AkJ7SH73shCvK14Bf8YBOMkNS5MacE+S' +
    'TaOPmgC/qIgjR6NQXXSPTj/tHjcAJHN0Pw38unoZro7u0/OQ4vE4U339n3KZQShSM1U5fAh6O58FLw3rfwHchOpzOe9+7DRaL789NDd9j6vCZ4' +
    '5EpmBwvH7VRHpH5u1pnn5s1M4uWTtvKY4vOeU3zeZp+x4vNexp9cpvMnd4bjUVjKT0DkFwy+53hPdwcs5bvUrQBjdEt27JBLZuGpI5cM93ZIoN' +
    '+PuYU11mVoJC0NLO/glm/5OZ3TfLr1gvpe/1aNm6mHWagRJ9jcYWBgYGBgeIxPig/71Eh37LEJYDN/auQxnyE34KdGww++/ssf8Hm1ryJluD9/' +
    '7TQCq3z2O6/xkoXFPil1WfuSwyqf977iqGhL9YeTSSnyg4Wm8ORYd9e6IEvhVFrM0uRUIhyPVxZqLaT7JdxEXZHWQjTWJ7UVa2L6SFKih3lcvD' +
    'uckCLCVk1u7w3HuivLqIw6St1s4K8A/wG0dHbtTjMAAA==',
}

describe('HDF5 of other writers', () => {
  it.each(Object.entries(FILES))('value: %s', async (_, packed) => {
    const bytes = new Uint8Array(gunzipSync(Buffer.from(packed, 'base64')))
    const nodes = new Map((await describeHdf5(bytes)).map(({ path, ...node }) => [path, node]))
    const dataset = { kind: 'dataset', shape: [] }
    expect(nodes.get('/half')).toEqual({
      ...dataset,
      type: 'float16',
      value: -0.0999755859375,
      attributes: { unit: 'mm' },
    })
    expect(nodes.get('/long')).toEqual({ ...dataset, type: 'float80', value: 1 / 3 })
    expect(nodes.get('/named')).toEqual({ ...dataset, type: 'float16', value: 0.5 })
    expect(nodes.get('/large')).toEqual({ ...dataset, type: 'int64', value: '4611686018427387905' })
    expect(nodes.get('/least')).toEqual({ ...dataset, type: 'int64', value: '-9223372036854775808' })
    expect(nodes.get('/small')).toEqual({ ...dataset, type: 'int64', value: -7 })
    expect(nodes.get('/twelve')).toEqual({ kind: 'dataset', shape: [], type: 'int12', value: -5 })
    expect(nodes.get('/five')).toEqual({ kind: 'dataset', shape: [1], type: 'uint5', value: 31 })
    expect(nodes.get('/brain')).toEqual({ kind: 'dataset', shape: [1], type: 'float16', value: -2.5 })
    expect(nodes.get('/swapped')).toEqual({ kind: 'dataset', shape: [1], type: 'float32', value: 1.25 })
    expect(nodes.get('/halves')).toEqual({ kind: 'dataset', shape: [2, 3], type: 'float16' })
    expect(nodes.get('/g')!.attributes).toEqual({
      half: 0.25,
      long: 2.5,
      large: '1152921504606846977',
      text: 'hello',
    })
  })
})

/* The script:
import h5py, numpy as np

def make(path, libver, block):
    f = h5py.File(path, 'w', libver=libver, userblock_size=block)
    def put(name, kind, values, order=np.int16, native=h5py.h5t.NATIVE_INT16):
        values = np.array(values, dtype=order)
        space = h5py.h5s.create(h5py.h5s.SCALAR) if values.ndim == 0 else h5py.h5s.create_simple(values.shape)
        h5py.h5d.create(f.id, name, kind, space).write(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=native)
    f['half'] = np.float16(-0.1)
    f['half'].attrs['unit'] = 'mm'
    f['halves'] = np.array([[1.5, 2.5, -65504], [6e-8, np.inf, np.nan]], dtype='<f2')
    f['long'] = np.longdouble(1) / 3
    f['swapped'] = np.array([1.25], dtype='>f4')
    f['large'], f['least'], f['small'] = np.int64(2**62 + 1), np.int64(-2**63), np.int64(-7)
    twelve = h5py.h5t.STD_I16LE.copy(); twelve.set_precision(12); twelve.set_offset(2)
    put(b'twelve', twelve, -5)
    five = h5py.h5t.STD_U16BE.copy(); five.set_precision(5); five.set_offset(3)
    put(b'five', five, [31])
    named = h5py.h5t.IEEE_F16LE.copy(); named.commit(f.id, b'type')
    put(b'named', named, 0.5, '<f4', h5py.h5t.NATIVE_FLOAT)
    brain = h5py.h5t.IEEE_F32LE.copy(); brain.set_fields(15, 7, 8, 0, 7); brain.set_size(2); brain.set_precision(16)
    put(b'brain', brain, [-2.5], '<f4', h5py.h5t.NATIVE_FLOAT)
    g = f.create_group('g')
    g.attrs['half'], g.attrs['long'] = np.float16(0.25), np.longdouble(2.5)
    g.attrs['large'], g.attrs['text'] = np.int64(2**60 + 1), 'hello'
    f.close()
    with open(path, 'r+b') as file: file.write(b'MATLAB 7.3 MAT-file')

make('earliest-512.h5', 'earliest', 512)
make('latest-2048.h5', 'latest', 2048)
*/
