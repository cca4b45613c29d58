/** Flags whose value is a list, of which Dawn obeys only the last flag of each name. */
const LISTS = ['enable-dawn-features', 'disable-dawn-features']

/** Joins lists of flags for Dawn: the features of all flags of one name end up in one flag.
 *
 * Of other flags of one name the last one counts, as in Dawn.
 */
export function mergeDawnFlags(...lists: readonly (readonly string[])[]): string[] {
  const values = new Map<string, string | undefined>()
  for (const flag of lists.flat()) {
    const at = flag.indexOf('=')
    const name = at < 0 ? flag : flag.slice(0, at)
    const value = at < 0 ? undefined : flag.slice(at + 1)
    const before = values.get(name)
    const joined = LISTS.includes(name) && before !== undefined && value !== undefined
    values.set(name, joined ? [...new Set([...before.split(','), ...value.split(',')])].join() : value)
  }
  return [...values].map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
}
