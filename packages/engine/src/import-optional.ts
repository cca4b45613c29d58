/** Imports a package that may not be installed. The name is hidden from bundlers, which would insist on finding it.
 *
 * @returns undefined when the package is not installed
 * @throws what the package throws when it is loaded
 */
export async function importOptional<T>(name: string): Promise<T | undefined> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as T
  } catch (error) {
    const { code, message = '' } = error as { code?: string; message?: string }
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    // The package itself, not one that it fails to find.
    if (missing && message.includes(`'${name}'`)) return undefined
    throw error
  }
}

/** Whether this is Node (or a runtime that plays its part). */
export function isNode(): boolean {
  return typeof process === 'object' && typeof process.versions?.node === 'string'
}
