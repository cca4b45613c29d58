import { labelFolder } from '@facekit/dataset'

// A process that begins to label into each folder that it is told, says whether it got the share, and then holds it until it is killed.
const [pictures] = process.argv.slice(2)
process.on('message', (out: string) => {
  const annotate = () => {
    process.send!('labelling')
    return new Promise<never>(() => {})
  }
  labelFolder(pictures, out, { annotate }).catch((error: Error) => process.send!(error.name))
})
process.send!('ready')
