import { ModelFormatError } from '@facekit/core'
import type { io } from '@tensorflow/tfjs-core'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks the graph of layers in a `model.json` of tfjs, which reads one that does not fit together for ever, and takes memory for the layers' sizes
 * before it looks whether there are so many weights.
 *
 * @param topology - as Keras describes a model
 * @param specs - the weights that there are
 * @throws {ModelFormatError} when layers have no names or come from layers that are not there, or are of sizes that no weight has
 */
export function checkTopology(
  who: string,
  topology: object,
  specs: readonly io.WeightsManifestEntry[],
): void {
  const fail = (what: string): never => {
    throw new ModelFormatError(`${who}: its layers do not fit together: ${what}; export the network again`)
  }
  const sizes = new Set<number>()
  for (const spec of specs) {
    if (!isObject(spec) || !Array.isArray(spec.shape) || !spec.shape.every(Number.isSafeInteger))
      fail('a weight has no shape')
    for (const size of spec.shape) sizes.add(size)
  }
  const { model_config: wrapped } = topology as Json
  checkModel(wrapped ?? topology)

  function checkModel(model: unknown): void {
    if (!isObject(model)) return fail('there is no model')
    const { class_name: kind, config } = model
    const layers = isObject(config) ? config.layers : config
    if (!Array.isArray(layers)) return fail('there is no list of layers')
    for (const layer of layers as unknown[]) {
      if (!isObject(layer) || !isObject(layer.config)) fail('a layer has no description')
      const { config: inner } = layer as { config: Json }
      if (Array.isArray(inner.layers)) checkModel(layer)
      for (const name of ['units', 'filters']) {
        const size = inner[name]
        if (size !== undefined && !sizes.has(size as number)) fail(`no weight is of ${name} of a layer`)
      }
    }
    if (kind === 'Sequential') return
    checkGraph(layers as Json[], config as Json)
  }

  /** Goes through the layers as soon as all from which they come are done, as tfjs does. */
  function checkGraph(layers: readonly Json[], config: Json): void {
    const calls = new Map<unknown, { from: unknown; index: number }[][]>()
    for (const { name, inbound_nodes: nodes } of layers) {
      if (typeof name !== 'string' || calls.has(name)) fail('a layer has no name of its own')
      if (!Array.isArray(nodes)) fail(`layer "${String(name)}" says nothing of what it comes from`)
      calls.set(name, (nodes as unknown[]).map(referencesOf))
    }
    const done = new Map<unknown, number>()
    for (const [name, nodes] of calls) if (nodes.length === 0) done.set(name, 1)
    for (let progress = true; progress;) {
      progress = false
      for (const [name, nodes] of calls) {
        const count = done.get(name) ?? 0
        if (count >= nodes.length) continue
        if (!nodes[count].every(({ from, index }) => index < (done.get(from) ?? 0))) continue
        done.set(name, count + 1)
        progress = true
      }
    }
    const stuck = [...calls].find(([name, nodes]) => (done.get(name) ?? 0) < nodes.length)
    if (stuck) fail(`layer "${String(stuck[0])}" comes from one that is not there`)
    for (const { name, class_name: kind, inbound_nodes: nodes } of layers)
      if ((nodes as unknown[]).length === 0 && kind !== 'InputLayer')
        fail(`layer "${String(name)}" comes from none`)
    for (const ends of ['input_layers', 'output_layers'])
      for (const { from, index } of referencesOf(config[ends]))
        if (index >= (done.get(from) ?? 0)) fail(`the list ${ends} names one that is not there`)
  }

  /** From which layers something comes, and from which of their calls. */
  function referencesOf(list: unknown): { from: unknown; index: number }[] {
    if (!Array.isArray(list)) return fail('a list of layers is none')
    return (list as unknown[]).map((reference) => {
      const [from, index] = Array.isArray(reference) ? (reference as unknown[]) : []
      if (!Number.isSafeInteger(index) || (index as number) < 0) fail('a layer is not named by two values')
      return { from, index: index as number }
    })
  }
}
