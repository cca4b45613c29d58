// Reads HDF5 through h5wasm. Plain JavaScript, because it runs in two places: in a worker of Node's (see hdf5-worker.js), which
// starts from this source as well as from the built package, and directly elsewhere.

import { decodeNumbers, findSuperblock, readNumberTypes } from './hdf5-number-type.js'

/** Classes of types that are numbers: integers and floats. */
const isNumber = (type) => type === 0 || type === 1

/** Opens a file that lies in memory, or one that is read piece by piece.
 *
 * @param {Uint8Array | { size: number, read: (into: Uint8Array, offset: number, length: number, position: number) => number }} source -
 *   bytes are taken over; `read` is that of a file: it returns how many bytes there were
 */
export async function openAccess(source) {
  const { default: h5wasm } = await import('h5wasm')
  const module = await h5wasm.ready
  const { FS } = module
  // Else the library writes its stack of errors to the console.
  module.activate_throwing_error_handler()
  const name = `model-${Math.random().toString(36).slice(2)}.h5`
  const node = createNode(FS, name, source)
  const closeStreams = (isLeft) => {
    for (const stream of FS.streams) if (stream && stream.fd > 2 && isLeft(stream)) FS.close(stream)
  }
  // An error leaves the library where it was thrown: before it closes the temporary file that it wrote the message to (there is room
  // for 4,096 open ones), and with its frames on the stack. A call with a text puts the stack back where it was.
  const tidy = (work) => {
    let result
    let failure
    module._facekit = () => {
      try {
        result = work()
      } catch (error) {
        failure = { error }
      }
    }
    module.ccall('facekit', null, ['string'], [''])
    if (!failure) return result
    closeStreams(({ path }) => path.startsWith('/tmp/tmpfile_'))
    throw failure.error
  }
  const release = () => {
    closeStreams((stream) => stream.node === node)
    FS.unlink(name)
  }
  let file
  try {
    file = tidy(() => new h5wasm.File(name, 'r'))
    if (file.file_id === undefined || file.file_id < 0n) throw new Error('no HDF5')
  } catch (error) {
    release()
    throw error
  }
  const readAt = (position, length) => {
    const stream = FS.open(name, 'r')
    try {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeOf(source) - position)))
      return bytes.subarray(0, FS.read(stream, bytes, 0, bytes.length, position))
    } finally {
      FS.close(stream)
    }
  }
  const base = findSuperblock(readAt, sizeOf(source))
  /** Number types of an object; none where its header cannot be understood: the library's own are left then. */
  const numberTypes = (path) => {
    const reference = Uint8Array.from(module.create_object_reference(file.file_id, path))
    const address = Number(new DataView(reference.buffer).getBigUint64(0, true))
    try {
      return readNumberTypes(readAt, base, address)
    } catch {
      return { attributes: {} }
    }
  }
  /** What the library knows of a type: right for whole bytes. */
  const plainType = ({ type, size, signed }) => ({
    kind: type === 0 ? 'integer' : 'float',
    bytes: size,
    offset: 0,
    precision: size * 8,
    signed,
    ...(size === 8
      ? { exponent: 52, exponentBits: 11, mantissaBits: 52, bias: 1023 }
      : { exponent: 23, exponentBits: 8, mantissaBits: 23, bias: 127 }),
    mantissa: 0,
    normalization: 2,
    sign: size * 8 - 1,
  })
  /** Stored bytes, little-endian. */
  const rawBytes = (length, fill) => {
    const pointer = module._malloc(Math.max(1, length))
    if (!pointer) throw new Error(`no memory for ${length} bytes`)
    try {
      fill(BigInt(pointer))
      return module.HEAPU8.slice(pointer, pointer + length)
    } finally {
      module._free(pointer)
    }
  }
  const readNumbers = ({ path, metadata }, ranges) => {
    if (metadata.shape === null) return undefined
    const counts = ranges?.map(([first, end]) => BigInt(end - first)) ?? null
    const count = counts ? Number(counts.reduce((product, n) => product * n, 1n)) : metadata.total_size
    const raw = rawBytes(count * metadata.size, (pointer) =>
      module.get_dataset_data(
        file.file_id,
        path,
        counts,
        ranges?.map(([first]) => BigInt(first)) ?? null,
        ranges?.map(() => 1n) ?? null,
        pointer,
      ),
    )
    return decodeNumbers(raw, numberTypes(path).dataset ?? plainType(metadata))
  }
  const readAttribute = (entity, key, types) => {
    const metadata = module.get_attribute_metadata(file.file_id, entity.path, key)
    if (metadata.shape === null) return undefined
    const length = metadata.size * metadata.total_size
    if (length > 1000) return undefined
    if (!isNumber(metadata.type)) return list(entity.attrs[key].value)
    const raw = rawBytes(length, (pointer) =>
      module.get_attribute_data(file.file_id, entity.path, key, pointer),
    )
    const values = decodeNumbers(raw, types[key] ?? plainType(metadata))
    return metadata.shape.length === 0 ? values[0] : Array.from(values)
  }
  const list = (value) => (ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value) : value)
  const describe = (entity) => {
    const { shape, type, size, signed } = entity.metadata
    const found = isNumber(type) ? numberTypes(entity.path).dataset : undefined
    return {
      shape: shape === null ? [] : Array.from(shape, Number),
      type,
      bytes: size,
      ...(isNumber(type) && { signed: found?.signed ?? signed, precision: found?.precision ?? size * 8 }),
    }
  }
  const access = {
    /** Names and kinds of a group's members; undefined where there is no group. */
    list(path) {
      const group = file.get(path)
      if (!(group instanceof h5wasm.Group)) return undefined
      return group.keys().map((key) => {
        const entity = group.get(key)
        if (entity instanceof h5wasm.Group) return { name: key, kind: 'group' }
        if (entity instanceof h5wasm.Dataset) return { name: key, kind: 'dataset', ...describe(entity) }
        return { name: key, kind: 'other' }
      })
    },
    /** Shape and type of a dataset, or `{ kind }` of what is there instead. */
    describe(path) {
      const entity = file.get(path)
      if (entity instanceof h5wasm.Dataset) return { kind: 'dataset', ...describe(entity) }
      return entity instanceof h5wasm.Group ? { kind: 'group' } : undefined
    },
    /** Values of a dataset: a typed array, or a list of texts. `ranges`: `[first, end]` of each dimension, or all of it. */
    read(path, ranges) {
      const dataset = file.get(path)
      if (isNumber(dataset.metadata.type)) return readNumbers(dataset, ranges)
      return list(ranges ? dataset.slice(ranges) : dataset.value)
    },
    /** Attributes by name: texts and small numbers. */
    attributes(path) {
      const entity = file.get(path)
      const names = Object.keys(entity?.attrs ?? {})
      const types = names.length > 0 ? numberTypes(entity.path).attributes : {}
      const values = names.map((key) => [key, readAttribute(entity, key, types)])
      return Object.fromEntries(values.filter(([, value]) => value !== undefined))
    },
  }
  return {
    ...Object.fromEntries(
      Object.entries(access).map(([method, work]) => [method, (...args) => tidy(() => work(...args))]),
    ),
    close() {
      try {
        tidy(() => file.close())
      } finally {
        release()
      }
    },
  }
}

const sizeOf = (source) => (source instanceof Uint8Array ? source.length : source.size)

/** A file in the library's file system. */
function createNode(FS, name, source) {
  if (source instanceof Uint8Array) {
    FS.writeFile(name, source, { canOwn: true })
    return FS.lookupPath(name).node
  }
  FS.writeFile(name, new Uint8Array(0))
  const { node } = FS.lookupPath(name)
  const { size, read } = source
  node.usedBytes = size
  node.stream_ops = {
    ...node.stream_ops,
    read: (_, into, offset, length, position) =>
      position < size ? read(into, offset, Math.min(length, size - position), position) : 0,
  }
  return node
}
