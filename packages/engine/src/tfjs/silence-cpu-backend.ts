/** Stops an instance of tfjs' CPU backend from printing an advertisement for another package when it is first used in Node. */
export function silenceCpuBackend<Backend extends object>(backend: Backend): Backend {
  return Object.assign(backend, { firstUse: false })
}
