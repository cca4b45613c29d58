// Reads HDF5 through h5wasm. Plain JavaScript, because it runs in two places: in a worker of Node's (see hdf5-worker.js), which
// starts from this source as well as from the built package, and directly elsewhere.

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
  const plain = (value) => (ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value) : value)
  const describe = (entity) => ({
    shape: entity.metadata.shape === null ? [] : Array.from(entity.metadata.shape, Number),
    type: entity.metadata.type,
    bytes: entity.metadata.size,
    dtype: typeof entity.dtype === 'string' ? entity.dtype : 'compound',
  })
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
      const value = ranges ? dataset.slice(ranges) : dataset.value
      return ArrayBuffer.isView(value) ? value : plain(value)
    },
    /** Attributes by name: texts and small numbers. */
    attributes(path) {
      const entity = file.get(path)
      const result = {}
      for (const [key, attribute] of Object.entries(entity?.attrs ?? {})) {
        if (attribute.metadata.total_size <= 1000) result[key] = plain(attribute.value)
      }
      return result
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
