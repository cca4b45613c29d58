// Serves one HDF5 file to the thread that started this one: a damaged file can crash or hang the library here without harm.
import { fstatSync, openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openAccess } from './hdf5-access.js'

// eslint-disable-next-line unicorn/require-post-message-target-origin
const answer = (message, transfer = []) => parentPort.postMessage(message, transfer)
/** A file on disk, read where the library looks: hundreds of megabytes that need not be kept. */
function openFile(path) {
  const file = openSync(path)
  return { size: fstatSync(file).size, read: (...place) => readSync(file, ...place) }
}
let access
parentPort.on('message', ({ id, method, args }) => {
  try {
    const value = access[method](...args)
    answer({ id, value }, ArrayBuffer.isView(value) ? [value.buffer] : [])
  } catch (error) {
    answer({ id, error: String(error?.message ?? error) })
  }
})
try {
  access = await openAccess(workerData.bytes ?? openFile(workerData.path))
  answer({ id: 0 })
} catch (error) {
  answer({ id: 0, error: String(error?.message ?? error) })
}
