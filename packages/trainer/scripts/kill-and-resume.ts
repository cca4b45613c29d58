/** Kills a training with SIGKILL at random moments, resumes it, and compares every loss, to the bit, with a training that was left in peace.
 *
 *   node --conditions=@facekit/source --import tsx packages/trainer/scripts/kill-and-resume.ts [kills, default 20] [seed]
 */
import { createRandom } from '@facekit/core'
import { killAndResume } from '../test/kill.js'

const [kills = 20, seed = 1] = process.argv.slice(2).map(Number)
const random = createRandom(seed)
const iterations = 8 * kills
const killed = await killAndResume(kills, iterations, () => ({
  after: 1 + random.integer(12),
  delay: random.uniform(0, 25),
}))
console.log(`killed ${killed} times, ${iterations} iterations: every loss is that of a training in one piece`)
