import { zipSync, type Zippable } from 'fflate'
import { zipDate } from '../zip-date.js'

/** Where the bytes of each file must begin, so that programs can use them where they lie. */
const ALIGNMENT = 64
/** Local header of a zip entry, without the name; and that of its extra field. */
const [HEADER, EXTRA_HEADER] = [30, 4]
/** Identifier of an extra field that says nothing: the one of Pixar's own writer. */
const PADDING = 0x1986

/** Packs the layer of a scene and its pictures as USDZ: a zip of files that are stored as they are, each on a boundary of 64 bytes.
 *
 * @param files - by name, the layer first; names are ASCII
 */
export function packUsdz(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries: Zippable = {}
  let at = 0
  for (const [name, bytes] of files) {
    // The field is always there: it can be of any length but shorter than its own header.
    const start = at + HEADER + name.length + EXTRA_HEADER
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT
    entries[name] = [bytes, { extra: { [PADDING]: new Uint8Array(padding) } }]
    at = start + padding + bytes.length
  }
  return zipSync(entries, { level: 0, mtime: zipDate })
}
