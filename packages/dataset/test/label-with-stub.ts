import { labelFolder } from '@facekit/dataset'

// node label-with-stub.js <folder> <out> <options as JSON>: labels with stub-worker.js, both bundled; a line for each picture that is done.
const [folder, out, json] = process.argv.slice(2)
const { workerOptions, ...options } = JSON.parse(json ?? '{}') as Record<string, unknown>
const controller = new AbortController()
process.on('SIGINT', () => controller.abort(new Error('interrupted')))
try {
  const report = await labelFolder(folder, out, {
    worker: new URL('./stub-worker.js', import.meta.url),
    workerOptions: workerOptions ?? {},
    picturesPerShard: 6,
    ...options,
    signal: controller.signal,
    onProgress: ({ picture }) => console.log(`done ${picture ?? ''}`),
  })
  console.log(`report ${JSON.stringify(report)}`)
} catch (error) {
  console.log(`failed ${(error as Error).message}`)
}
