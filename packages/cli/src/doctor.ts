import { autoBackends } from './auto-backends.js'
import type { BackendReport } from '@facekit/engine'
import ndarray from 'ndarray'
import { errorLine } from './error-line.js'
import { BASE_MODEL, loadModel } from './load-model.js'
import { version } from './version.js'
import { weightsProvenance, type WeightsProvenance } from './weights-provenance.js'

/** One thing that `facekit doctor` looked at. */
export interface Check {
  name: string
  ok: boolean
  /** What was found. */
  found: string
  /** What to do about it. */
  remedy?: string
}

/** What `facekit doctor` prints with `--json`. */
export interface DoctorReport {
  version: string
  /** True when faces can be reconstructed here. */
  ok: boolean
  /** Backend that `--backend auto` takes; empty when none works. */
  backend: string
  backends: readonly BackendReport[]
  checks: Check[]
  /** Where the weights that ship come from. */
  weights: readonly WeightsProvenance[]
}

/** Oldest Node that facekit is tested on. */
const OLDEST_NODE = 20

/** Options of `doctor`. */
export interface DoctorOptions {
  /** Whether to measure each backend, for about two seconds. Default true. */
  measure?: boolean
}

/** Looks at all that a reconstruction needs: Node, a backend, the networks' weights, the face model; and at how fast each backend is.
 * Nothing is written. */
export async function doctor({ measure = true }: DoctorOptions = {}): Promise<DoctorReport> {
  const { inspectBackends, initEngine } = await import('@facekit/engine')
  const backends = await inspectBackends({ measure, precision: 'mixed' })
  const checks: Check[] = [checkNode()]
  let backend = ''
  checks.push(
    await check('backend', 'see the backends', async () => {
      const engine = await initEngine({ backend: 'auto', candidates: autoBackends })
      backend = engine.backend
      return `${engine.backend}: ${engine.reason}`
    }),
  )
  const again = 'install facekit again'
  checks.push(
    await check('face model', again, async () => {
      const model = await loadModel(BASE_MODEL)
      return `${model.name}, ${model.vertexCount} vertices, ${model.license}`
    }),
  )
  if (backend) checks.push(await check('networks', again, tryNetworks))
  return { version, ok: checks.every(({ ok }) => ok), backend, backends, checks, weights: weightsProvenance }
}

function checkNode(): Check {
  const ok = Number(process.versions.node.split('.')[0]) >= OLDEST_NODE
  const found = `${process.version}, ${process.platform} ${process.arch}`
  return { name: 'node', ok, found, ...(ok ? {} : { remedy: `install Node ${OLDEST_NODE} or newer` }) }
}

async function check(name: string, remedy: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await look() }
  } catch (error) {
    return { name, ok: false, found: errorLine(error), remedy }
  }
}

/** Runs the networks once on a grey picture: their weights are there, and the backend knows their operations. */
async function tryNetworks(): Promise<string> {
  const { detectFaces, findLandmarks, loadEmbedder } = await import('@facekit/annotate')
  const grey = ndarray(new Uint8Array(64 * 64 * 3).fill(128), [64, 64, 3])
  await detectFaces(grey)
  await findLandmarks(grey, { x: 8, y: 8, width: 48, height: 48 })
  const embedder = await loadEmbedder()
  embedder.dispose()
  return 'face detector, landmarks and embedder run'
}
