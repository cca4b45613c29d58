// Circles of files inside a package, and folders that hold too many files.
import { dirname, join } from 'node:path'

/** Source files that one folder may hold directly. */
export const FOLDER_LIMIT = 30

/** The circles among files: groups of files that reach each other through their imports, type imports included.
 *
 * @param imports - for each file's path, the specifiers of its imports; only relative ones count
 * @returns each circle as paths, in the order of the imports
 */
export function findCircles(imports) {
  const edges = new Map()
  for (const [file, specifiers] of imports) {
    const targets = specifiers.flatMap((specifier) => resolve(file, specifier, imports) ?? [])
    edges.set(file, [...new Set(targets)])
  }
  const circles = []
  for (const component of stronglyConnected(edges)) {
    const [first] = component
    if (component.length > 1 || edges.get(first).includes(first)) circles.push(component)
  }
  return circles
}

/** Folders with more source files than the limit, as `[folder, count]`. */
export function fullFolders(files, limit = FOLDER_LIMIT) {
  const counts = new Map()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > limit)
}

function resolve(file, specifier, imports) {
  if (!specifier.startsWith('.')) return undefined
  const path = join(dirname(file), specifier)
  const stem = path.replace(/\.[cm]?jsx?$/, '')
  return [path, `${stem}.ts`, `${stem}.tsx`, `${path}.ts`, join(path, 'index.ts')].find((candidate) =>
    imports.has(candidate),
  )
}

/** Tarjan's strongly connected components. */
function stronglyConnected(edges) {
  const order = new Map()
  const low = new Map()
  const stack = []
  const components = []
  const visit = (node) => {
    order.set(node, order.size)
    low.set(node, order.get(node))
    stack.push(node)
    for (const next of edges.get(node)) {
      if (!order.has(next)) {
        visit(next)
        low.set(node, Math.min(low.get(node), low.get(next)))
      } else if (stack.includes(next)) low.set(node, Math.min(low.get(node), order.get(next)))
    }
    if (low.get(node) === order.get(node)) components.push(stack.splice(stack.indexOf(node)))
  }
  for (const node of edges.keys()) if (!order.has(node)) visit(node)
  return components
}
