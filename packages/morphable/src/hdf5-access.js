// Reads HDF5 through h5wasm. Plain JavaScript, because it runs in two places: in a worker of Node's (see hdf5-worker.js), which
// starts from this source as well as from the built package, and directly elsewhere.

/** Opens a file that lies in memory.
 *
 * @param {Uint8Array} bytes - is taken over
 */
export async function openAccess(bytes) {
  const { default: h5wasm } = await import('h5wasm')
  const module = await h5wasm.ready
  const { FS } = module
  // Else the library writes its stack of errors to the console.
  module.activate_throwing_error_handler()
  const name = `model-${Math.random().toString(36).slice(2)}.h5`
  FS.writeFile(name, bytes, { canOwn: true })
  let file
  try {
    file = new h5wasm.File(name, 'r')
    if (file.file_id === undefined || file.file_id < 0n) throw new Error('no HDF5')
  } catch (error) {
    FS.unlink(name)
    throw error
  }
  const plain = (value) => (ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value) : value)
  const describe = (entity) => ({
    shape: entity.metadata.shape === null ? [] : Array.from(entity.metadata.shape, Number),
    type: entity.metadata.type,
    bytes: entity.metadata.size,
    dtype: typeof entity.dtype === 'string' ? entity.dtype : 'compound',
  })
  return {
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
    close() {
      file.close()
      FS.unlink(name)
    },
  }
}
