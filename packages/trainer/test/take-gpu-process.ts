// Takes its GPU among stand-ins for device files, joins the other processes if there are any, and prints what it then sees of the files:
// take-gpu-process.ts <folder> [<rank> <processes>].
import { readFileSync } from 'node:fs'
import { openMpi, takeGpu } from '@facekit/trainer'

const [devices, rank, size] = process.argv.slice(2)
const place = rank === undefined ? undefined : { rank: Number(rank), size: Number(size) }
const taken = await takeGpu({ devices, place }).catch(({ message }: Error) => ({ message }))
const reducer = await openMpi()
const sum = Float32Array.of(1)
await reducer?.allReduce(sum)
const seen = [0, 1].map((i) => readFileSync(`${devices}/nvidia${i}`, 'utf8'))
console.log(JSON.stringify({ ...taken, seen, ...(reducer && { processes: sum[0] }) }))
reducer?.close()
