// Takes its GPU among stand-ins for device files, and prints what it then sees of them: take-gpu-process.ts <folder> <rank> <processes>.
import { readFileSync } from 'node:fs'
import { takeGpu } from '@facekit/trainer'

const [devices, rank, size] = process.argv.slice(2)
const taken = await takeGpu({ devices, place: { rank: Number(rank), size: Number(size) } }).catch(
  ({ message }: Error) => ({ message }),
)
const seen = [0, 1].map((i) => readFileSync(`${devices}/nvidia${i}`, 'utf8'))
console.log(JSON.stringify({ ...taken, seen }))
