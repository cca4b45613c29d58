import { lockFile } from '@facekit/core'

// A process that locks a path each time it is told to, says whether it got it, and then holds it until it is killed.
process.on('message', () => {
  lockFile(process.argv[2], 'tests').then(
    () => process.send!('held'),
    (error: Error) => process.send!(`${error.name}: ${error.message}`),
  )
})
process.send!('ready')
// A lock renews itself without keeping its process alive.
setInterval(() => {}, 1000)
