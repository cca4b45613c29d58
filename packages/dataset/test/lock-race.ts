import { labelFolder } from '@facekit/dataset'

// A process that labels as soon as it is told to, says whether it got the share, and then holds it until it is killed.
const [folder, out] = process.argv.slice(2)
process.once('message', () => {
  const annotate = () => {
    process.send!('labelling')
    return new Promise<never>(() => {})
  }
  labelFolder(folder, out, { annotate }).catch(() => process.send!('refused'))
})
process.send!('ready')
